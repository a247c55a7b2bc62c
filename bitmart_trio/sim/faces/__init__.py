"""The entry points: HTTP/1.1, WebSocket, control endpoints, the page, pipes and transports inside the process."""
