#!/usr/bin/env python3
"""Links between the Markdown files lead somewhere (file and heading), and every module of src/ has its README.md.

    tools/check_docs.py [ROOT]
"""
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.M | re.S)
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\s*\[[^\]]+\]:\s*(\S+)|<img[^>]+src=\"([^\"]+)\"", re.M)
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.M)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def anchors(text):
    """The ids that GitHub gives to the headings."""
    found = {}
    for heading in HEADING.findall(FENCE.sub(blank, text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = found[name] = found.get(name, -1) + 1
        if count:
            found[f"{name}-{count}"] = 0
    return set(found) | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def check(root, documents):
    errors = []
    for document in documents:
        text = document.read_text(encoding="utf-8")
        visible = CODE.sub(blank, FENCE.sub(blank, text))
        for match in LINK.finditer(visible):
            link = next(group for group in match.groups() if group)
            if re.match(r"[a-z][a-z0-9+.-]*:|//", link):
                continue
            where = f"{document.relative_to(root)}:{visible.count(chr(10), 0, match.start()) + 1}"
            name, _, anchor = link.partition("#")
            target = (root / name.lstrip("/") if name.startswith("/") else document.parent / unquote(name)) if name else document
            if not target.resolve().is_relative_to(root.resolve()):
                errors.append(f"{where}: {link} leads out of the repository")
            elif not target.exists():
                errors.append(f"{where}: {link} leads nowhere")
            elif anchor and target.suffix == ".md" and anchor not in anchors(target.read_text(encoding="utf-8")):
                errors.append(f"{where}: {link}: {target.name} has no such heading")
    for module in sorted(path for path in (root / "src").glob("*") if path.is_dir() and any(path.iterdir())):
        if not (module / "README.md").is_file():
            errors.append(f"src/{module.name}: a module opens with a README.md of ten to thirty lines: what it is, its main types, "
                          "where its data comes from and goes to")
    return errors


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    names = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard", "--", "*.md"],
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    errors = check(root, sorted({root / name for name in names if name and (root / name).is_file()}))
    for error in errors:
        print(error, file=sys.stderr)
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
