"""What only the desktop has is not in the phone's library: the recorder of decrypted answers, keys in software, simulated cards.

Usage: phone_library.py LIBRARY BINARY

The desktop binary has all of them, so that a name that changed is noticed here.
"""

import pathlib
import sys

DESKTOP_ONLY = [b"open_recorded", b"SoftwareKeyStore", b"wallet_card_sim", b"wallet_central"]


def main():
    library, binary = (pathlib.Path(path).read_bytes() for path in sys.argv[1:3])
    for name in DESKTOP_ONLY:
        assert name in binary, f"{name.decode()} is not in the desktop binary: has it another name now?"
        assert name not in library, f"{name.decode()} is in the phone's library"
        print(f"phone's library: no {name.decode()}")


if __name__ == "__main__":
    main()
