"""The generated module for programs without an event loop of their own: every awaited act waits.

`import blocking` once, after that `wallet.sync()` blocks as `asyncio.run(wallet.sync())` does.
"""

import asyncio
import functools
import inspect

import wallet_bindings as wb


def waiting(act):
    @functools.wraps(act)
    def wait(*arguments, **named):
        async def run():
            return await act(*arguments, **named)

        return asyncio.run(run())

    return wait


for _kind in (wb.Wallet, wb.PendingRequest, wb.Verifier, wb.OpenRequest, wb.CheckResult):
    for _name, _act in list(vars(_kind).items()):
        if inspect.iscoroutinefunction(_act):
            setattr(_kind, _name, waiting(_act))
