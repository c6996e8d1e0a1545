"""The generated Python side of the phone's library: contracts of the ports, the whole journey, and what must not be in the library."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent


class GeneratedBindings(unittest.TestCase):
    """Each script runs in an interpreter of its own, as an app would."""

    def script(self, name, *arguments):
        done = subprocess.run([sys.executable, str(HERE / name), *arguments], capture_output=True, text=True, timeout=300, check=False)
        sys.stdout.write(done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_phones_library_holds_nothing_of_the_desktop(self):
        self.script("phone_library.py", os.environ["WALLET_LIBRARY"], os.environ["CITIZEN_WALLET"])

    def test_the_contract_of_each_port_holds_for_ports_written_in_python(self):
        self.script("contract.py", os.environ["CITIZEN_WALLET"])

    def test_from_activation_to_check_with_ports_written_in_python(self):
        self.script("spine.py", os.environ["CITIZEN_WALLET"])


if __name__ == "__main__":
    unittest.main()
