"""``python -m bitmart_trio`` is ``bitmart-trio``."""

from .cli import main

if __name__ == "__main__":
    main()
