"""Runs the conformance suite of The Update Framework (theupdateframework/tuf-conformance, a checkout of it) against `citizen-wallet trust`.

    tuf_conformance.py CHECKOUT BINARY OUT.md HEAD.md     OUT.md = HEAD.md and the figures; ends with 1 when a case fails that has no reason here

Needs the suite's own Python packages (its pyproject.toml) and the program `faketime`. `./deep tuf-conformance CHECKOUT` calls it.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

# Cases that do not apply to this client, each with its reason. A case that is named here and passes is a failure too.
REASONS = {}


def main(checkout, binary, out, head):
    checkout, binary = pathlib.Path(checkout).resolve(), pathlib.Path(binary).resolve()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "report.json")
        # The suite reads expected failures beside the entry point; there they would be marked, here they are counted.
        command = [sys.executable, "-m", "pytest", "-q", "tuf_conformance", "--entrypoint", f"{binary} trust"]
        command += ["-p", "no:cacheprovider", "--json-report", f"--json-report-file={report}"]
        subprocess.run(command, cwd=checkout, check=False)
        result = json.loads(report.read_text())
    cases = {test["nodeid"].removeprefix("tuf_conformance/"): test["outcome"] for test in result["tests"]}
    short = {name: name.split("::", 1)[-1] for name in cases}
    failed = sorted(name for name, outcome in cases.items() if outcome != "passed")
    unexplained = [name for name in failed if short[name] not in REASONS]
    surprising = sorted(name for name, outcome in cases.items() if outcome == "passed" and short[name] in REASONS)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=False).stdout.strip()
    lines = [pathlib.Path(head).read_text().rstrip(), ""]
    lines += [f"- suite: theupdateframework/tuf-conformance {commit or '(no git history in the checkout)'}", ""]
    files = sorted({name.split("::")[0] for name in cases})
    lines += ["| file of cases | cases | passed | not passed |", "| --- | --- | --- | --- |"]
    for file in files:
        of = [outcome for name, outcome in cases.items() if name.startswith(f"{file}::")]
        lines.append(f"| {file} | {len(of)} | {of.count('passed')} | {len(of) - of.count('passed')} |")
    passed = sum(outcome == "passed" for outcome in cases.values())
    lines += [f"| **all** | **{len(cases)}** | **{passed}** | **{len(cases) - passed}** |", ""]
    if failed:
        lines += ["Not passed:", ""] + [f"- `{short[name]}`: {REASONS.get(short[name], '**no reason known**')}" for name in failed]
    else:
        lines.append("No case was skipped, none is expected to fail.")
    lines += ["", "`test_repository_simulator.py` tries the suite's own server and says nothing about a client."]
    pathlib.Path(out).write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    for name in surprising:
        print(f"passes although a reason is given: {name}", file=sys.stderr)
    return 1 if unexplained or surprising or not cases else 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        print(__doc__, file=sys.stderr)
        sys.exit(3)
    sys.exit(main(*sys.argv[1:]))
