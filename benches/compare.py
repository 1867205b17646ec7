"""Measures what `compare.sh` has prepared. Wall and CPU time are each the best of all rounds, which are
interleaved: what else runs on the machine then falls on all rows alike."""

import argparse
import os
import shutil
import subprocess
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--cookpack", required=True)
parser.add_argument("--corpus", required=True)
parser.add_argument("--scratch", required=True)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--cookbooks", type=int, default=400)
parser.add_argument("--only", action="append", default=[])
parser.add_argument("--scale", action="store_true")
parser.add_argument("--tsv")
options = parser.parse_args()

scratch = options.scratch
out = os.path.join(scratch, "out")
# Neither the machine's settings nor an earlier run have a say.
environment = {
    "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
    "HOME": scratch,
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "bench",
    "GIT_AUTHOR_EMAIL": "bench@example.com",
    "GIT_AUTHOR_DATE": "2020-02-20T20:20:20Z",
    "GIT_COMMITTER_NAME": "bench",
    "GIT_COMMITTER_EMAIL": "bench@example.com",
    "GIT_COMMITTER_DATE": "2020-02-20T20:20:20Z",
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def at(*parts):
    return os.path.join(scratch, *parts)


def run(*command, cwd=scratch, store=None):
    """Runs what is not measured."""
    variables = {**environment, **({"COOKPACK_STORE": store} if store else {})}
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


def put_away(path):
    """Moves a folder out of the way until all is measured. Some file systems look through what was removed
    lately whenever a file is made (ext4 does, for minutes), which no first build has to wait for."""
    if os.path.isdir(path):
        os.makedirs(at("away"), exist_ok=True)
        os.rename(path, at("away", str(len(os.listdir(at("away"))))))


class Row:
    """One line of the table."""

    def __init__(self, name, command, cwd, store=None, prepare=lambda: None):
        self.name, self.command, self.cwd, self.store, self.prepare = name, command, cwd, store, prepare
        self.wall = self.cpu = float("inf")
        self.memory = self.size = 0

    def measure(self):
        remove(out)
        self.prepare()
        remove(out)
        # No row has to wait for what was written to prepare it, or by the row before.
        os.sync()
        variables = {**environment, **({"COOKPACK_STORE": self.store} if self.store else {})}
        usage = at("usage")
        # A process remembers the memory of the one that started it, so it is a small one that starts it.
        command = [TIME, "-f", "%U %S %M", "-o", usage, *self.command]
        begin = time.perf_counter()
        done = subprocess.run(command, cwd=self.cwd, env=variables, capture_output=True, text=True)
        wall = time.perf_counter() - begin
        if done.returncode:
            sys.exit(f"{self.name} failed:\n{done.stderr}")
        user, system, memory = open(usage).read().split()
        self.wall = min(self.wall, wall)
        self.cpu = min(self.cpu, float(user) + float(system))
        self.memory = max(self.memory, int(memory) / 1024)
        self.size = os.path.getsize(out)


TIME = shutil.which("time") or sys.exit("memory is measured by GNU time, which is not installed")
cookpack = options.cookpack


def shown(name):
    return not options.only or any(text in name for text in options.only)


def manifest(project, lines):
    os.makedirs(at(project), exist_ok=True)
    with open(at(project, "cookpack.toml"), "w") as file:
        file.write('[bundle]\nname = "bench"\n\n[cookbooks]\n' + "".join(lines))


def change(folder, names, number):
    """Puts something new into each of the cookbooks."""
    for name in names:
        with open(os.path.join(folder, name, "recipes", "changed.rb"), "w") as file:
            file.write(f"# change {number}\n")


class Corpus:
    """So many cookbooks as folders, and as a repository with three commits: `original`, and `one` and
    `tenth`, in which one cookbook of all, and one of ten, are others."""

    def __init__(self, folder, cookbooks):
        self.folder, self.repository = at(folder), at(folder + ".git-work")
        self.names = [f"cookbook{index:04}" for index in range(cookbooks)]
        self.commits = {}
        if not os.path.isdir(self.folder):
            say(run(options.corpus, "real", self.folder, str(cookbooks)).strip())
            for name in self.names:
                os.makedirs(os.path.join(self.folder, name, "recipes"), exist_ok=True)
            change(self.folder, self.names, 0)
        change(self.folder, self.names, 0)
        if not os.path.isdir(self.repository):
            shutil.copytree(self.folder, self.repository)
            self.git("init", "-q", "-b", "main")
            for commit, names in [("original", []), ("one", self.one()), ("tenth", self.tenth())]:
                change(self.repository, names, commit)
                self.git("add", "-A", "-f")
                self.git("commit", "-q", "-m", commit)
                self.git("tag", commit)
                change(self.repository, names, 0)
            self.git("reset", "-q", "--hard", "original")
            self.git("repack", "-a", "-d", "-q")

    def git(self, *arguments):
        return run("git", *arguments, cwd=self.repository)

    def one(self):
        return [self.names[len(self.names) // 2]]

    def tenth(self):
        return self.names[5::10]

    def pinned(self, commit, count=None):
        """A project of the first cookbooks, locked to a commit."""
        names = self.names[:count]
        project = f"{os.path.basename(self.folder)}-{commit}-{len(names)}"
        manifest(
            project,
            [f'{n} = {{ git = "{self.repository}", tag = "{commit}", rel = "{n}" }}\n' for n in names],
        )
        return at(project)


def cookpack_rows(corpus):
    names = corpus.names
    plain = [cookpack, "build", "-q", "-o", out]
    build = [*plain, "--format", "tar.gz"]
    help_text = run(cookpack, "build", "--help")

    def known(option):
        if option in help_text:
            return True
        say(f"SKIPPED: this cookpack has no {option}")
        return False

    places = [f'{name} = {{ path = "{os.path.join(corpus.folder, name)}" }}\n' for name in names]
    manifest("folders", places)
    folders, store = at("folders"), at("store-folders")
    two = [*build, "-j", "2"]

    def cold():
        put_away(at("store-cold"))

    def unchanged(command):
        Edits(corpus, corpus.folder, folders, store).unchanged(command)

    rows = [Row("cookpack, folders, cold, -j1", [*build, "-j", "1"], folders, at("store-cold"), cold)]
    rows += Edits(corpus, corpus.folder, folders, store).rows("folders", two)
    no_index = [*two, "--no-index"]
    if known("--no-index"):
        prepare = lambda: unchanged(no_index)
        rows.append(Row("cookpack, folders, nothing changed, --no-index", no_index, folders, store, prepare))
    rows += work_tree_rows(corpus, two)
    rows += pinned_rows(corpus, two, None)
    if known("--format"):
        zipped = [*plain, "--format", "zip", "-j", "2"]
        rows.append(Row("cookpack, zip, cold, -j2", zipped, folders, at("store-cold"), cold))
        rows.append(Row("cookpack, zip, nothing changed", zipped, folders, store, lambda: unchanged(zipped)))
        tar = [*plain, "--format", "tar"]
        rows.append(Row("cookpack, tar, cold", tar, folders, at("store-cold"), cold))
    if known("--level"):
        best = [*two, "--level", "best"]
        rows.append(Row("cookpack, --level best, cold, -j2", best, folders, at("store-cold"), cold))
    return rows


class Edits:
    """The cookbooks of a corpus in a folder, a project that has them, and its store: builds of them."""

    numbers = iter(range(1, 1_000_000))

    def __init__(self, corpus, folder, project, store):
        self.corpus, self.folder, self.project, self.store = corpus, folder, project, store

    def unchanged(self, command):
        """An earlier build has seen all that lies there."""
        names = self.corpus.names
        texts = (open(os.path.join(self.folder, name, "recipes/changed.rb")).read() for name in names)
        if any(text != "# change 0\n" for text in texts):
            change(self.folder, names, 0)
            # What changed a moment ago is read once more: it could change again within the clock's grain.
            time.sleep(3.5)
        run(*command, cwd=self.project, store=self.store)

    def rows(self, name, command):
        first = self.store + "-cold"
        rows = [
            Row(f"cookpack, {name}, cold, -j2", command, self.project, first, lambda: put_away(first)),
            Row(
                f"cookpack, {name}, nothing changed",
                command,
                self.project,
                self.store,
                lambda: self.unchanged(command),
            ),
        ]
        for changed in (self.corpus.one(), self.corpus.tenth()):

            def prepare(changed=changed):
                self.unchanged(command)
                change(self.folder, changed, next(self.numbers))

            of = f"{len(changed)} of {len(self.corpus.names)}"
            rows.append(Row(f"cookpack, {name}, {of} changed", command, self.project, self.store, prepare))
        return rows


def work_tree_rows(corpus, build):
    """From folders in a git work tree, of which the lockfile says whether they are in a commit."""
    places = [f'{name} = {{ path = "{os.path.join(corpus.repository, name)}" }}\n' for name in corpus.names]
    manifest("work-tree", places)
    return Edits(corpus, corpus.repository, at("work-tree"), at("store-work-tree")).rows("git work tree", build)


def pinned_rows(corpus, build, count, is_scale=False):
    """From git pins. What is measured finds all commits in the store: nothing is fetched."""
    kept, store = at(f"store-pinned-{count}"), at(f"store-pinned-run-{count}")
    mirrors = at(f"store-mirrors-{count}")
    commits = ["original", "one"] if is_scale else ["original", "one", "tenth"]
    projects = {commit: corpus.pinned(commit, count) for commit in commits}
    build = [*build, "--frozen"]
    of = f"of {len(corpus.names[:count])}"

    def stores():
        if os.path.isdir(kept):
            return
        for project in projects.values():
            run(cookpack, "lock", "-q", cwd=project, store=mirrors)
        for name in os.listdir(mirrors):
            # What was found out while it was locked: only the objects are to stay.
            if name.split("-")[0] in ("plans", "segments"):
                remove(os.path.join(mirrors, name))
        shutil.copytree(mirrors, kept)
        run(*build, cwd=projects["original"], store=kept)

    def copy(origin):
        stores()
        put_away(store)
        shutil.copytree(origin, store)

    def row(name, commit, origin):
        return Row(name, build, projects[commit], store, lambda: copy(origin))

    one = row(f"cookpack, git pins, 1 {of} changed", "one", kept)
    cold = row("cookpack, git pins, cold, -j2", "original", mirrors)
    if is_scale:
        one.name, cold.name = f"scale: git pins, 1 {of} changed", f"scale: git pins, {of.split()[1]}, cold"
        return [cold, one]
    return [
        cold,
        row("cookpack, git pins, nothing changed", "original", kept),
        one,
        row(f"cookpack, git pins, {len(corpus.tenth())} {of} changed", "tenth", kept),
    ]


def size_rows(build):
    """Of many files and of large ones, whose memory is what matters."""

    def rows(name, kind, number, in_git=False):
        base = f"{kind}.git-work" if in_git else kind
        folder, store, project = at(base), at(f"store-{base}"), at(f"project-{base}")
        if not os.path.isdir(folder):
            say(run(options.corpus, kind, folder, str(number)).strip())
            if in_git:
                for arguments in ["init -q", "add -A -f", "commit -q -m original", "repack -a -d -q"]:
                    run("git", *arguments.split(), cwd=folder)
        names = sorted(name for name in os.listdir(folder) if name != ".git")
        places = [f'{n} = {{ path = "{os.path.join(folder, n)}" }}\n' for n in names]
        manifest(os.path.basename(project), places)
        cold = Row(f"size: {name}, cold", build, project, store, lambda: put_away(store))
        # The store is that of the cold build before it.
        return [cold, Row(f"size: {name}, nothing changed", build, project, store)]

    return [
        *rows("100,000 files of 1 KiB", "tiny", 100_000),
        *rows("the same in a git work tree", "tiny", 100_000, in_git=True),
        *rows("20 files of 50 MiB", "large", 20),
    ]


def peer_rows(corpus):
    peers = [
        ("tar", "tar | gzip -6", ["gzip"], f"tar --sort=name -cf - . | gzip -6 -n > {out}", corpus.folder),
        ("tar", "tar | pigz -6 -p 2", ["pigz"], f"tar --sort=name -cf - . | pigz -6 -n -p 2 > {out}", corpus.folder),
        ("bsdtar", "bsdtar -czf", [], f"bsdtar -czf {out} .", corpus.folder),
        ("git", "git archive", ["gzip"], f"git archive --format=tar.gz -o {out} original", corpus.repository),
        ("zip", "zip -X", [], f"zip -X -q -r {out}.zip . && mv {out}.zip {out}", corpus.folder),
    ]
    for tool, name, others, command, cwd in peers:
        missing = [t for t in [tool, *others] if not shutil.which(t)]
        if missing:
            say(f"SKIPPED: {name}: {', '.join(missing)} is not installed")
        else:
            yield Row(name, ["sh", "-c", command], cwd)


# What issue 6 asks for: of which row, of what, beside which row, at least or at most how much.
GZIP, PIGZ = "tar | gzip -6", "tar | pigz -6 -p 2"
LIMITS = [
    ("cookpack, folders, cold, -j2", "wall", PIGZ, 1.8),
    ("cookpack, folders, cold, -j2", "wall", GZIP, 4.0),
    ("cookpack, folders, cold, -j2", "cpu", GZIP, 0.44),
    ("cookpack, folders, cold, -j2", "size", GZIP, 1.0),
    ("cookpack, folders, cold, -j1", "wall", GZIP, 2.4),
    ("cookpack, git pins, cold, -j2", "wall", PIGZ, 1.8),
    ("cookpack, git pins, cold, -j2", "wall", GZIP, 4.0),
    ("cookpack, git pins, cold, -j2", "cpu", GZIP, 0.44),
    ("cookpack, git pins, 1 of ", "wall", PIGZ, 20),
    ("cookpack, folders, 1 of ", "wall", PIGZ, 12),
    ("cookpack, git pins, nothing changed", "wall", PIGZ, 40),
    ("cookpack, folders, nothing changed", "wall", PIGZ, 15),
    ("cookpack, git work tree, cold, -j2", "wall", PIGZ, 1.8),
    ("cookpack, git work tree, cold, -j2", "wall", GZIP, 4.0),
    ("cookpack, git work tree, cold, -j2", "cpu", GZIP, 0.44),
    ("cookpack, git work tree, 1 of ", "wall", PIGZ, 12),
    ("cookpack, git work tree, nothing changed", "wall", PIGZ, 15),
]
MEMORY = 32


def table(rows):
    by_name = {row.name: row for row in rows}
    gzip, pigz = by_name.get(GZIP), by_name.get(PIGZ)

    def times(peer, row):
        return f"{peer.wall / row.wall:8.2f}" if peer else "       -"

    print(f"{'':48}{'wall s':>8}{'CPU s':>8}{'MiB':>7}{'bytes':>12}{'x gzip':>8}{'x pigz':>8}{'CPU':>7}")
    for row in rows:
        cpu = f"{row.cpu / gzip.cpu:7.2f}" if gzip else "      -"
        print(
            f"{row.name:48}{row.wall:8.3f}{row.cpu:8.2f}{row.memory:7.1f}{row.size:12}"
            f"{times(gzip, row)}{times(pigz, row)}{cpu}"
        )
    print("\nx: how many times as fast as that; CPU: beside gzip's; MiB: of the largest process.\n")
    for start, figure, other, limit in LIMITS:
        peer = by_name.get(other)
        row = next((row for row in rows if row.name.startswith(start)), None)
        if not row or not peer:
            continue
        if figure == "wall":
            ratio, word = peer.wall / row.wall, "at least"
            reached = ratio >= limit
        else:
            ratio, word = getattr(row, figure) / getattr(peer, figure), "at most"
            reached = ratio <= limit
        mark = "ok    " if reached else "MISSED"
        print(f"{mark} {figure:5}{ratio:7.3f}  {word} {limit}: {row.name}, beside {peer.name}")
    for row in rows:
        if row.name.startswith(("cookpack", "scale", "size")) and row.memory > MEMORY:
            print(f"MISSED memory {row.memory:.1f} MiB, at most {MEMORY}: {row.name}")


def main():
    corpus = Corpus("corpus", options.cookbooks)
    # What is filtered out is not prepared either, but for what others stand on.
    rows = [row for row in [*peer_rows(corpus), *cookpack_rows(corpus)] if shown(row.name)]
    if options.scale:
        many = Corpus("many", 1600)
        two = [cookpack, "build", "-q", "-o", out, "--format", "tar.gz", "-j", "2"]
        for count in (100, 400, 1600):
            rows += pinned_rows(many, two, count, is_scale=True)
        rows += size_rows(two)
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        for row in rows:
            row.measure()
    remove(at("away"))
    table(rows)
    if options.tsv:
        with open(options.tsv, "w") as file:
            print("name", "wall_s", "cpu_s", "peak_mib", "bytes", sep="\t", file=file)
            for row in rows:
                print(row.name, f"{row.wall:.4f}", f"{row.cpu:.2f}", f"{row.memory:.1f}", row.size, sep="\t", file=file)


main()
