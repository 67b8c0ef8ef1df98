"""`python -m fercli` is `fer`."""

from fercli.cli.app import main

main()
