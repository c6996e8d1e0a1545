"""The memory story many times over: what is left after lock only now and then is found by repeating it.

Usage: memory_rounds.py ROUNDS [--markdown FILE]     (the environment is that of the suite: CITIZEN_WALLET, PYTHONPATH, WALLET_LIBRARY)

Each round is a process of its own that unlocks, shows every document, answers an officer and locks. `test_memory.py` searches for whole texts of the
citizen; here it is every piece of 8 bytes of them, since a register holds no more than a piece. A piece that stands in the process before anything
was unlocked is somebody else's.
"""

import argparse
import collections
import pathlib
import shutil
import sys
import tempfile
import time

import support
from test_memory import DEMO_PASSCODE, Wallet, answer, forms_of_text, private_texts, published, search

PIECE = 8


def pieces(texts):
    """{name: [piece]}; the name says which text and which of its bytes, not what they are."""
    public = published()
    found = {}
    for number, text in enumerate(texts):
        for form in forms_of_text(text):
            for at in range(len(form) - PIECE + 1):
                piece = form[at : at + PIECE]
                # Runs of digits and of one or two characters stand anywhere.
                if len(set(piece)) > 2 and piece not in public and piece not in b"01234567890123456789":
                    found.setdefault(piece, f"text {number} of {len(texts)}, {len(text)} characters, from byte {at}")
    return {f"{name} #{number}": [piece] for number, (piece, name) in enumerate(found.items())}


def one_round(story, wanted):
    """Names of the pieces that are left after lock, each with its places."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="citizen-wallet-memory-"))
    try:
        home = folder / "wallet"
        shutil.copytree(story / "wallet", home)
        shutil.copytree(story / "officer" / "traffic-police", folder / "officer")
        wallet = Wallet(home)
        try:
            before = search(wallet.dump(), wanted)
            wallet.do("unlock", DEMO_PASSCODE)
            wallet.do("look")
            seen = search(wallet.dump(), wanted)
            assert len(seen.keys() - before.keys()) > 100, "the search does not find what is in use"
            answer(wallet, folder)
            wallet.do("drop")
            wallet.do("lock")
            after = search(wallet.dump(), wanted)
        finally:
            wallet.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {name: places for name, places in after.items() if name not in before}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int)
    parser.add_argument("--markdown", type=pathlib.Path, help="a file that the figures are added to")
    arguments = parser.parse_args()
    story = support.demo()[0]
    texts = private_texts()
    wanted = pieces(texts)
    leaking, begun = collections.Counter(), time.monotonic()
    for number in range(1, arguments.rounds + 1):
        left = one_round(story, wanted)
        for name, places in left.items():
            print(f"round {number}: {name}: {', '.join(places[:3])}")
        leaking.update([bool(left)])
        print(f"round {number} of {arguments.rounds}: {len(left)} pieces left", flush=True)
    rows = [
        f"- rounds: {arguments.rounds}, each a process of its own: unlock, every document shown, one officer answered, lock",
        f"- searched for: {len(wanted)} pieces of {PIECE} bytes out of {len(texts)} texts of the citizens, in UTF-8 and UTF-16, composed and decomposed",
        f"- rounds with a piece left after lock: {leaking[True]}",
        f"- seconds: {time.monotonic() - begun:.0f}",
    ]
    print("\n".join(rows))
    if arguments.markdown:
        with arguments.markdown.open("a") as report:
            report.write("\n".join(rows) + "\n")
    return 1 if leaking[True] else 0


if __name__ == "__main__":
    sys.exit(main())
