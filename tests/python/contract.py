"""The contract bodies of the Rust core, run against the ports written in Python.

Usage: contract.py [BINARY]     (with the `citizen-wallet` binary the card channel is tried on a simulated card)
"""

import os
import sys

import wallet_bindings as wb
from ports import PythonClock, PythonKeyStore, PythonListener, PythonSealer, SocketCard, released
from processes import Helper


class CountsNothing(PythonKeyStore):
    """A key store with a fault: an authorisation that never runs out of uses."""

    def _use(self, authorisation, key):
        with self._lock:
            grant = self._authorisations.get(authorisation)
            if grant is not None:
                grant[1] += 1
        return super()._use(authorisation, key)


class Throws(PythonSealer):
    """A sealer that throws what no port may throw."""

    def mac(self, input):
        raise RuntimeError("nothing of this text may cross the border")


def main():
    reports = [
        ("KeyStore", wb.contract_key_store(PythonKeyStore())),
        ("DeviceSealer", wb.contract_device_sealer(PythonSealer())),
        ("Clock", wb.contract_clock(PythonClock())),
        ("Listener", wb.contract_listener(PythonListener())),
    ]
    if len(sys.argv) > 1:
        with Helper(sys.argv[1], "chip", "sim", log=os.devnull) as card:
            host, port = card.address.rsplit(":", 1)
            reports.append(("CardChannel", wb.contract_card_channel(SocketCard(host, int(port)))))
    for name, report in reports:
        print(f"contract {name}: {'holds' if report.holds else 'BROKEN: ' + report.broken_clause} ({len(report.clauses)} clauses)")
        assert report.holds, (name, report.broken_clause)

    broken = wb.contract_key_store(CountsNothing())
    assert (broken.holds, broken.broken_clause) == (False, "uses-are-counted"), broken
    print("contract KeyStore: a store that does not count uses is found out")
    broken = wb.contract_device_sealer(Throws())
    assert (broken.holds, broken.broken_clause) == (False, "mac-is-stable"), broken
    print("contract DeviceSealer: an exception of the port becomes a fault, not a crash")


if __name__ == "__main__":
    main()
    kept = released()
    assert not kept, f"the core still holds {kept}"
