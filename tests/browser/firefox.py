"""Firefox without a window, asked over WebDriver BiDi, the protocol it speaks itself: no driver has to be installed."""

import asyncio
import json
import re
import subprocess
import time

from tornado.websocket import websocket_connect

LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
PREFERENCES = {"app.update.enabled": False, "datareporting.policy.dataSubmissionEnabled": False, "network.captive-portal-service.enabled": False}


class Firefox:
    """One Firefox with one page. ``program``: where it is. ``profile``: an empty folder for what it remembers."""

    def __init__(self, program, profile):
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
        (profile / "user.js").write_text("".join(lines), encoding="utf-8")
        options = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        self._log, self._loop, self._last = profile / "log.txt", asyncio.new_event_loop(), 0
        with self._log.open("w") as log:
            self._process = subprocess.Popen([program, *options], stdout=log, stderr=log)
        try:
            self._socket = self._loop.run_until_complete(self._connected())
            self._send("session.new", capabilities={})
            self._context = self._send("browsingContext.getTree")["contexts"][0]["context"]
        except BaseException:
            self.close()
            raise

    def goto(self, address):
        """Open ``address`` and wait until it has been loaded."""
        self._send("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def evaluate(self, function, argument=None):
        """What the JavaScript ``function``, or its promise, gives for ``argument``."""
        called = f"Promise.resolve(({function})({json.dumps(argument)})).then((found) => JSON.stringify(found ?? null))"
        target = {"context": self._context}
        answer = self._send("script.evaluate", expression=called, target=target, awaitPromise=True)
        assert answer["type"] == "success", answer
        return json.loads(answer["result"]["value"])

    def close(self):
        self._process.terminate()
        self._process.wait(timeout=30)
        self._loop.close()

    def _send(self, method, **parameters):
        return self._loop.run_until_complete(asyncio.wait_for(self._sent(method, parameters), timeout=120))

    async def _connected(self):
        end = time.monotonic() + 60
        while not (found := LISTENING.search(self._log.read_text())):
            assert time.monotonic() < end, self._log.read_text()
            await asyncio.sleep(0.1)
        return await websocket_connect(f"{found[1]}/session", max_message_size=2**27)

    async def _sent(self, method, parameters):
        self._last += 1
        await self._socket.write_message(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while (text := await self._socket.read_message()) is not None:
            message = json.loads(text)
            if message.get("id") == self._last:
                assert message["type"] == "success", message
                return message["result"]
        raise AssertionError("Firefox has closed the connection")
