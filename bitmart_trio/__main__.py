"""Make ``python -m bitmart_trio`` run the command ``bitmart-trio``."""

from .cli import main

if __name__ == "__main__":
    main()
