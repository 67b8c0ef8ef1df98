"""Search for settings and architectures: trials that Optuna proposes, each a training; the best trained anew."""
