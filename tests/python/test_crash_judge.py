"""The judge of the crash rig can fail: each thing that must not happen is put into two ledgers that agree, and is found by name."""

import copy
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "rig"))

import ledgers  # noqa: E402

KEYS = [f"{number:02}" * 16 for number in range(4)]


def credential(number, kind):
    return {"sha256": f"{kind}{number}", "status_list": "https://c/status/driving-licence/2026-W51", "status_index": number * 10 + kind, "sound": True}


def two():
    """A wallet with two fresh copies and one spent, and central's word for all three."""
    wallet = {
        "account": {"account": "a", "level": 2, "ended": False, "key_name": KEYS[3], "thumbprint": "device"},
        "step": "complete", "answered": [], "batches": [], "dead_keys": [], "stray_keys": [], "cursor": 1, "notices": [1], "sound": True,
        "documents": [{"document": "driving-licence", "state": "issued", "copies": 2}],
        "copies": [
            {
                "id": n, "document": "driving-licence", "key_name": KEYS[n], "thumbprint": f"key{n}", "state": "spent" if n == 2 else "fresh",
                "mdoc": None if n == 2 else credential(n, 1), "sd_cwt": None if n == 2 else credential(n, 2),
            }
            for n in range(3)
        ],
        "consents": [{"id": 1, "copy_set": 2, "outcome": "shown", "reason": "", "document": "driving-licence", "request_hash": "r1"}],
    }
    central = {
        "sound": True, "status_entries": 6, "sessions": 1,
        "accounts": [
            {
                "account": "a", "level": 2, "device_epoch": 1, "device_key": "device", "evidence": 1, "notices": [], "offers": [{}],
                "activations": [{"completed_at": "t"}],
                "changes": [{"seq": 1, "document": "driving-licence", "kind": "issued"}],
                "documents": [{"document": "driving-licence", "state": "valid"}],
                "keys": [{"thumbprint": f"key{n}", "epoch": 1, "document": "driving-licence"} for n in range(3)],
                "copies": [
                    {
                        "document": "driving-licence", "thumbprint": f"key{n}", "format": name, "week": "2026-W51", "index": n * 10 + kind,
                        "ended": False, "sha256": f"{kind}{n}", "status": 0,
                    }
                    for n in range(3)
                    for kind, name in ((1, "mso_mdoc"), (2, "vn.sd-cwt"))
                ],
            }
        ],
    }
    return wallet, central


def judged(wallet, central, before=None, keys=(0, 1, 3)):
    seen = ledgers.Seen()
    before = before or wallet
    found = seen.learn(before) + seen.learn(wallet)
    with tempfile.TemporaryDirectory() as folder:
        device = pathlib.Path(folder) / "device"
        device.mkdir()
        for number in keys:
            (device / f"{KEYS[number] if isinstance(number, int) else number}.key").touch()
        found += ledgers.keys(wallet, central, folder)
    found += ledgers.sound(wallet, central) + ledgers.accounts(wallet, central, 1) + ledgers.copies(wallet, central, seen)
    return found + ledgers.consents(before, wallet, 0) + ledgers.spent(before, wallet)[0] + ledgers.feed(wallet, central)


class Judge(unittest.TestCase):
    def test_two_ledgers_that_agree_have_no_findings(self):
        self.assertEqual(judged(*two()), [])

    def finds(self, text, change, **more):
        wallet, central = two()
        before = copy.deepcopy(wallet)
        change(wallet, central["accounts"][0], central)
        found = judged(wallet, central, before, **more)
        self.assertTrue(any(text in finding for finding in found), f"{text!r} not in {found}")

    def test_a_lost_credential_is_found(self):
        def issue(wallet, mine, central):
            mine["copies"].append({**mine["copies"][0], "thumbprint": "other", "index": 99})
            central["status_entries"] += 1

        self.finds("lost: a mso_mdoc", issue)

    def test_doubled_and_foreign_credentials_are_found(self):
        self.finds("issued a credential twice", lambda w, m, c: m["copies"].append(m["copies"][0]))
        self.finds("share a status entry", lambda w, m, c: m["copies"][0].update(index=m["copies"][2]["index"]))
        self.finds("never issued", lambda w, m, c: w["copies"].append({**w["copies"][0], "id": 9, "thumbprint": "mine"}))
        self.finds("is not the one that central keeps", lambda w, m, c: m["copies"][0].update(sha256="x"))
        self.finds("names another status entry", lambda w, m, c: m["copies"][0].update(week="2026-W50"))
        self.finds("status entries for other credentials", lambda w, m, c: c.update(status_entries=7))
        self.finds("not for its key", lambda w, m, c: w["copies"][0]["mdoc"].update(sound=False))
        self.finds("central ended", lambda w, m, c: m["copies"][0].update(ended=True))

    def test_a_spent_copy_set_that_comes_back_is_found(self):
        def revive(wallet, *_):
            wallet["copies"][2].update(state="fresh", mdoc=credential(2, 1), sd_cwt=credential(2, 2))

        self.finds("was spent and is fresh again", revive)
        self.finds("that the consent log names is not spent", revive)
        self.finds("stayed reserved", lambda w, m, c: w["copies"][0].update(state="reserved"))
        self.finds("keeps a credential", lambda w, m, c: w["copies"][2].update(mdoc=credential(2, 1)))
        self.finds("have one key", lambda w, m, c: w["copies"].append({**w["copies"][0], "id": 9}))

    def test_consents_lost_doubled_and_open_are_found(self):
        entry = {"id": 2, "copy_set": 1, "outcome": "shown", "reason": "", "document": "driving-licence", "request_hash": "r2"}
        self.finds("lost or changed", lambda w, m, c: w["consents"].clear())
        self.finds("1 new consent entries for 0 acts", lambda w, m, c: w["consents"].append(entry))
        self.finds("stayed open", lambda w, m, c: w["consents"].append({**entry, "outcome": "open"}))
        self.finds("two consent entries have one copy set", lambda w, m, c: w["consents"].append({**entry, "copy_set": 2}))
        self.finds("answered twice", lambda w, m, c: w["consents"].append({**entry, "request_hash": "r1"}))

    def test_accounts_lost_and_doubled_are_found(self):
        self.finds("no account of this device", lambda w, m, c: m.update(device_key="other"))
        self.finds("different accounts", lambda w, m, c: m.update(account="b"))
        self.finds("device epoch 2", lambda w, m, c: m.update(device_epoch=2))
        self.finds("2 completed activations", lambda w, m, c: m["activations"].append({"completed_at": "t"}))
        self.finds("a device was replaced", lambda w, m, c: m["notices"].append({}))
        self.finds("stands at face", lambda w, m, c: w.update(step="face"))

    def test_stray_lost_and_unused_keys_are_found(self):
        self.finds("belong to nothing", lambda *_: None, keys=(0, 1, 3, "f" * 32))
        self.finds("1 keys are lost", lambda *_: None, keys=(0, 3))
        self.finds("wait for nothing", lambda w, m, c: m["keys"].append({"thumbprint": "x", "document": None}))
        self.finds("stray keys", lambda w, m, c: w.update(stray_keys=["x"]))

    def test_a_feed_with_gaps_or_another_state_is_found(self):
        self.finds("gaps or repeats", lambda w, m, c: m["changes"].append({"seq": 3, "document": "d", "kind": "suspended"}))
        self.finds("the wallet took", lambda w, m, c: w.update(cursor=0, notices=[]))
        self.finds("suspended at central", lambda w, m, c: m["documents"][0].update(state="suspended"))
        self.finds("twice that a document was issued", lambda w, m, c: m["changes"].append({"seq": 2, "document": "driving-licence", "kind": "issued"}))
        self.finds("not sound", lambda w, m, c: c.update(sound=False))


if __name__ == "__main__":
    unittest.main()
