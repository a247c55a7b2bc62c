"""The parts of every exchange, whatever it trades: clock, event log, money, books, prices and the feed of pushes."""
