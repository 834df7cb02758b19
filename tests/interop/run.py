#!/usr/bin/env python3
"""Real clients against the real server, a story each: phones that know nothing of it, whole companies
that provision themselves, mutated messages, nodes that die, databases that go away."""

import argparse
import functools
import importlib
import inspect
import os
import sys
import time
import traceback
from xml.sax.saxutils import quoteattr

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
sys.path.insert(0, HERE)

STORIES = ["baresip_story", "sipp_story", "mutation_story", "fault_story", "postgres_story",
           "flood_story", "self_provisioning_story", "templates_story", "two_nodes_story", "command_line_story",
           "doors_story", "docs_story"]


def watched(function, story, steps):
    """The function, noting what became of it: a step that is never called proves nothing."""
    @functools.wraps(function)
    def step(*arguments, **more):
        name = f"{story}::{function.__name__}"
        steps[name] = False
        value = function(*arguments, **more)
        steps[name] = True
        return value
    return step


def tell(story, binary, steps):
    """Runs a story with every step of it watched."""
    module = importlib.import_module(story)
    for name, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == story:
            setattr(module, name, watched(function, story, steps))
    module.run(binary)


def write(path, steps):
    """What became of every step, as other test runners write it."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as file:
        file.write(f'<testsuites><testsuite name="interop" tests="{len(steps)}">\n')
        for name, passed in sorted(steps.items()):
            failure = "" if passed else "<failure/>"
            file.write(f"<testcase name={quoteattr(name)}>{failure}</testcase>\n")
        file.write("</testsuite></testsuites>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the jackfield binary")
    parser.add_argument("--only", choices=STORIES, help="one story alone")
    parser.add_argument("--results", help="a JUnit file to write")
    arguments = parser.parse_args()
    passed, failed, steps = 0, 0, {}
    for story in STORIES if arguments.only is None else [arguments.only]:
        began = time.monotonic()
        try:
            tell(story, arguments.binary, steps)
            passed += 1
            print(f"ok      {story} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception:  # noqa: BLE001 - the next story is still worth knowing about
            failed += 1
            print(f"FAILED  {story}\n{traceback.format_exc()}", flush=True)
    if arguments.results:
        write(arguments.results, steps)
    print(f"interop: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
