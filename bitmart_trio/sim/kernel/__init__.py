"""What every exchange is made of, whatever it trades: clock, event log, money, books, prices and the feed of pushes."""
