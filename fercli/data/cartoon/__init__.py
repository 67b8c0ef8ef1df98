"""`cartoon`: drawn faces of drawn people. No real person is in it."""

from fercli.data.cartoon.faces import cartoon as cartoon
