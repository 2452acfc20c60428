"""`python -m alphastrata` is the command line."""

from alphastrata.cli import main

if __name__ == "__main__":
    main()
