"""The registries that are published to, each on a free port and with its own data."""

import asyncio
import datetime
import hashlib
import hmac
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from measure import run


class DockerRegistry:
    """Debian's docker-registry."""

    name = "docker-registry"
    # The file of the certificate that clients must trust, where it is asked by https.
    authority = None

    def __init__(self, scratch, _longshore, _repositories):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        file = self.place / "config.yml"
        file.write_text("version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n"
                        f"storage: {{filesystem: {{rootdirectory: {self.place}/data}}}}\n"
                        f"http: {{{self.http()}}}\n")
        log = self.place / "log"
        with log.open("w") as output:
            self.process = subprocess.Popen(["docker-registry", "serve", file], stderr=output, stdout=output)
        while "listening on " not in log.read_text():
            if self.process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.02)
        self.host = log.read_text().split("listening on ")[1].split('"')[0].split(",")[0]
        self.login = {}

    def http(self):
        return "addr: '127.0.0.1:0'"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.place)


class Emulator(DockerRegistry):
    """Longshore's own, as ECR: repositories are made, and everybody is logged in."""

    name = "emulator"

    def __init__(self, scratch, longshore, repositories):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=scratch))
        command = [longshore, "emulator", "--empty", "--data", self.place / "data",
                   "--", "sh", "-c", "env; echo READY=; exec sleep 100000"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        cwd=self.place)
        variables = {}
        for line in self.process.stdout:
            name, _, value = line.rstrip("\n").partition("=")
            variables[name] = value
            if name == "READY":
                break
        self.variables = variables
        for repository in repositories:
            self.ask("CreateRepository", {"repositoryName": repository})
        data = self.ask("GetAuthorizationToken", {})["authorizationData"][0]
        self.host = data["proxyEndpoint"].split("://")[1]
        self.login = {self.host: {"auth": data["authorizationToken"]}}

    def ask(self, action, body):
        """One call of the API of ECR, signed (Signature Version 4)."""
        key, secret, region = (self.variables[name] for name in
                               ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"))
        url, body = self.variables["AWS_ENDPOINT_URL"], json.dumps(body)
        host = urllib.parse.urlsplit(url).netloc
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        target = f"AmazonEC2ContainerRegistry_V20150921.{action}"
        headers = {"content-type": "application/x-amz-json-1.1", "host": host,
                   "x-amz-date": moment, "x-amz-target": target}
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body.encode()).hexdigest()}"
        scope = f"{moment[:8]}/{region}/ecr/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signing = f"AWS4{secret}".encode()
        for part in [*scope.split("/"), text]:
            signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
                                    f"Signature={signing.hex()}")
        with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers)) as answer:
            return json.load(answer)

    def __exit__(self, *_):
        # The program that it has started ends it.
        subprocess.run(["kill", f"{self.process.pid}"], check=False)
        self.process.wait()
        shutil.rmtree(self.place)


class Link:
    """A relay to `host`: each way takes `delay` seconds, and all connections share
    `rate` bytes a second in each direction."""

    def __init__(self, host, delay=0.010, rate=12_500_000):
        self.target, self.delay, self.rate = host.rsplit(":", 1), delay, rate
        self.free = [0.0, 0.0]
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        threading.Thread(target=self.serve, args=(ready,), daemon=True).start()
        ready.wait()

    def serve(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.relay, "127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def relay(self, reader, writer):
        there, back = await asyncio.open_connection(*self.target)
        await asyncio.gather(self.way(0, reader, back), self.way(1, there, writer), return_exceptions=True)

    async def way(self, direction, reader, writer):
        # What is on its way: as much as a window of 1 MiB lets be.
        line = asyncio.Queue(maxsize=16)

        async def arrive():
            while (piece := await line.get())[1]:
                await asyncio.sleep(piece[0] - self.loop.time())
                writer.write(piece[1])
                await writer.drain()
            writer.close()

        arriving = asyncio.ensure_future(arrive())
        while data := await reader.read(65536):
            begin = max(self.loop.time(), self.free[direction])
            self.free[direction] = begin + len(data) / self.rate
            await line.put((self.free[direction] + self.delay, data))
        await line.put((0, b""))
        await arriving


class SlowRegistry(DockerRegistry):
    """Debian's docker-registry at the end of a link of 20 ms and 100 Mbit/s."""

    name = "link"

    def __init__(self, scratch, longshore, repositories):
        super().__init__(scratch, longshore, repositories)
        self.host = Link(self.host).host


class SecureRegistry(DockerRegistry):
    """Debian's docker-registry by https, at an address of this machine that is not
    loopback: that one everybody asks by http."""

    name = "tls"

    def http(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            # Nothing is sent: it tells from which address it would be.
            route.connect(("192.0.2.1", 9))
            address = route.getsockname()[0]
        self.authority, key = self.place / "certificate.pem", self.place / "key.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-days", "2", "-subj", "/CN=registry", "-addext", f"subjectAltName=IP:{address}",
             "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", self.authority])
        return f"addr: '{address}:0', tls: {{certificate: {self.authority}, key: {key}}}"


REGISTRIES = {kind.name: kind for kind in (DockerRegistry, SlowRegistry, SecureRegistry, Emulator)}
