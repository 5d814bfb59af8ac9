"""Who publishes, and by which commands."""

import collections
import functools
import pathlib
import shutil
import subprocess
import sys
import tempfile

from projects import BUILDERS, alone

# What is done and where: a project of ours, and a context and an image's name of the others.
Work = collections.namedtuple("Work", "project contexts host")

PROGRAMS = {"docker": shutil.which("docker"), "buildah": shutil.which("buildah"),
            "skopeo": shutil.which("skopeo"), "crane": shutil.which("crane")}


def builders(longshore, work, name):
    """Whoever makes images of programs and files and pushes them: commands by name."""
    docker, buildah = PROGRAMS["docker"], PROGRAMS["buildah"]
    rows = {"longshore publish": [([longshore, "publish", "--to", f"{work.host}/{name}"], work.project)]}
    if alone(work.project).exists():
        publish = [longshore, "publish", "--to", f"{work.host}/{name}-alone"]
        rows["longshore, nothing attested"] = [(publish, alone(work.project))]
    for title, who, variable in (("docker build, push", "classic", "DOCKER_BUILDKIT=0"),
                                 ("with BuildKit", "buildkit", "DOCKER_BUILDKIT=1")):
        if docker and (who == "classic" or buildkit()):
            rows[title] = []
            for image, context in images(work, who):
                rows[title] += [(["env", variable, docker, "build", "-q", "-t", image, context], None),
                                ([docker, "push", "-q", image], None)]
    if buildah:
        rows["buildah bud, push"] = []
        for image, context in images(work, "buildah"):
            build = [buildah, "bud", "-q", "--layers", "--isolation", "chroot", "-t", image, context]
            rows["buildah bud, push"] += [(build, None), ([buildah, "push", "-q", "--tls-verify=false", image], None)]
    return rows


def repositories(contexts):
    """Those that a registry needs which makes none by itself."""
    others = [f"{who}{number}" for who in BUILDERS for number in range(len(contexts))]
    return ["longshore", "longshore-alone", "large", *others]


def images(work, who):
    """Names of images, and what each is made of."""
    return [(f"{work.host}/{who}{number}:latest", context.with_name(f"{context.name}-{who}"))
            for number, context in enumerate(work.contexts)]


def copiers(longshore, layout, digest, host, secure=False):
    """Whoever sends a finished layout; to a `secure` registry by https."""
    image, skopeo, crane = f"{host}/large", PROGRAMS["skopeo"], PROGRAMS["crane"]
    rows = {"longshore publish": [([longshore, "publish", "--layout", layout, "--digest", digest, "--to", image],
                                   layout.parent)]}
    if skopeo:
        plain = [] if secure else ["--dest-tls-verify=false"]
        copy = [skopeo, "copy", "-q", *plain, f"oci:{layout}", f"docker://{image}:latest"]
        rows["skopeo copy"] = [(copy, None)]
    if crane:
        plain = [] if secure else ["--insecure"]
        rows["crane push"] = [([crane, "push", *plain, layout, f"{image}:latest"], None)]
    return rows


@functools.cache
def buildkit():
    """Whether `docker build` can use BuildKit: newer clients need the plugin buildx."""
    with tempfile.TemporaryDirectory() as context:
        (pathlib.Path(context) / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        command = ["env", "DOCKER_BUILDKIT=1", PROGRAMS["docker"], "build", "-q", context]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"left out, BuildKit: {done.stderr.strip()[:200]}", file=sys.stderr)
        return done.returncode == 0


def versions(longshore):
    """What each says of itself."""
    said = {"longshore": first_line([longshore, "--version"])}
    for name, program in PROGRAMS.items():
        if program:
            option = "version" if name == "crane" else "--version"
            said[name] = first_line([program, option])
    return said


def first_line(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else ""
