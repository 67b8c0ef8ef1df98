"""A campaign of faults: whatever happens to files and processes, the program gives a result or one line that says why.

usage: python -m benchmarks.faults (--whole | --minutes N) [--seed S] [--only KIND …] [--out DIR] [--write]

Files of every kind that the program reads are damaged at random and read through the public entries, in a process of
their own. A case passes where it gives a result, or a FerError whose message is one short printable line; it fails with
any other exception, a death, ten seconds of processor time, or 1.5 GB of memory above the process' own size. Commands
run on full disks, are killed and resumed, and race for the same output. What fails is kept in --out, with its seed;
--case SEED does one case again. `--write` puts the table into docs/reliability.md. Ends with 1 if anything failed.
"""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.faults import page
from benchmarks.faults.campaign import PROCESSES, Campaign
from benchmarks.faults.kinds import KINDS

NAMES = (*(kind.name for kind in KINDS), *PROCESSES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=10.0, help="for all kinds together; each has the same time")
    length.add_argument("--whole", action="store_true", help="each kind to its target: 10,000 pictures, 200 kills, …")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--only", nargs="+", default=NAMES, choices=NAMES, metavar="KIND", help=", ".join(NAMES))
    parser.add_argument("--out", type=Path, default=Path("faults"), help="for what fails; default: ./faults")
    parser.add_argument("--case", metavar="SEED", help="one case again, as it is called where it failed")
    parser.add_argument("--write", action="store_true", help="the table into docs/reliability.md")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with TemporaryDirectory() as scratch:
        campaign = Campaign(Path(scratch), options.out, options.seed, options.only)
        try:
            campaign.prepare()
            if options.case:
                print(campaign.do(options.case.split("/")[1], options.case))
                return
            begun = time.monotonic()
            if options.whole:
                campaign.run_whole()
            else:
                campaign.run(60 * options.minutes)
        except KeyboardInterrupt:
            print("stopped")
        finally:
            campaign.close()
    only = "" if options.only is NAMES else " --only " + " ".join(f"'{name}'" for name in options.only)
    length_typed = "--whole" if options.whole else f"--minutes {options.minutes:g}"
    command = f"python -m benchmarks.faults {length_typed} --seed {options.seed}{only}"
    print(page.table(campaign.counts))
    if options.write:
        page.write(page.section(campaign.counts, command, (time.monotonic() - begun) / 60, campaign.worker.restarts))
    sys.exit(1 if any(count.failures for count in campaign.counts.values()) else 0)


if __name__ == "__main__":
    main()
