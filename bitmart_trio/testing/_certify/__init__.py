"""Bad days for a bot: drawn from seeds, played in virtual time, judged by a referee who reads the exchange's own books.

The package is named with an underscore because ``bitmart_trio.testing.certify`` is the function. Its floors::

    _terms, _day, _draw   what the bot declares; a day as data, and how a seed becomes one
    _disk, _bot, _world   a disk that survives a kill, a bot that is reloaded, a process in virtual time
    _witness, _play       what happened; one bot through one day
    _invariants, _referee the questions asked after each day
    _shrink               the smallest day that still breaks the bot
    _job, _runner         many days, in processes or on an executor
    _certificate, _report the result as an object, JSON, JUnit and one page
"""
