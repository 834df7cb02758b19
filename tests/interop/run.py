#!/usr/bin/env python3
"""Real clients against the real server: baresip provisions itself and calls, SIPp registers and
calls, and mutated messages hit a server that must go on serving."""

import argparse
import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
sys.path.insert(0, HERE)

STORIES = ["baresip_story", "sipp_story", "mutation_story", "fault_story", "postgres_story",
           "flood_story", "two_nodes_story", "command_line_story"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the jackfield binary")
    parser.add_argument("--only", choices=STORIES, help="one story alone")
    arguments = parser.parse_args()
    passed, failed = 0, 0
    for story in STORIES if arguments.only is None else [arguments.only]:
        began = time.monotonic()
        try:
            importlib.import_module(story).run(arguments.binary)
            passed += 1
            print(f"ok      {story} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # noqa: BLE001 - the next story is still worth knowing about
            failed += 1
            print(f"FAILED  {story}\n{traceback.format_exc()}", flush=True)
    print(f"interop: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
