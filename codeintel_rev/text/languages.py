"""Canonical language names, and how a path or an alias leads to one.

One name a language is used everywhere: in the index, in scopes, in replies.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from codeintel_rev.errors import UnknownLanguage

TEXT: Final = "text"
"""The language of every text file that no row of the table claims."""


class Language(NamedTuple):
    """One language and what points to it; every field but the name holds words in lower case."""

    name: str
    suffixes: str = ""
    """File name endings without the leading dot."""
    aliases: str = ""
    """Other names that people write in a scope."""
    filenames: str = ""
    """Whole file names."""
    interpreters: str = ""
    """Programs named in a ``#!`` line, without version digits."""


LANGUAGES: Final = (
    # Programming languages
    Language("ada", "adb ads"),
    Language("assembly", "asm s", "asm"),
    Language("astro", "astro"),
    Language("awk", "awk", interpreters="awk gawk mawk"),
    Language(
        "bash",
        "sh bash zsh ksh bats ebuild command",
        "sh shell zsh ksh",
        ".bashrc .bash_profile .bash_aliases .profile .zshrc .zprofile .zshenv pkgbuild",
        "sh bash zsh ksh dash ash bats",
    ),
    Language("batch", "bat cmd", "bat"),
    Language("c", "c h", "h"),
    Language("clojure", "clj cljs cljc edn", "clj"),
    Language("cmake", "cmake", filenames="cmakelists.txt"),
    Language("cobol", "cob cbl cpy"),
    Language("commonlisp", "lisp lsp cl", "lisp common-lisp"),
    Language(
        "cpp",
        "cc cpp cxx c++ hh hpp hxx h++ ipp inl tpp txx ixx cppm cu cuh",
        "c++ cplusplus cxx cuda",
    ),
    Language("crystal", "cr", interpreters="crystal"),
    Language("csharp", "cs csx cake", "c# cs c-sharp dotnet"),
    Language("d", "d di", "dlang"),
    Language("dart", "dart", interpreters="dart"),
    Language("elixir", "ex exs", interpreters="elixir"),
    Language("elm", "elm"),
    Language("erlang", "erl hrl escript", "erl", "rebar.config", "escript"),
    Language("fish", "fish", interpreters="fish"),
    Language("fortran", "f f77 f90 f95 f03 f08 for"),
    Language("fsharp", "fs fsi fsx", "f# fs f-sharp"),
    Language("glsl", "glsl vert frag geom comp tesc tese"),
    Language("go", "go", "golang"),
    Language("groovy", "groovy gradle gvy", "gradle", "jenkinsfile", "groovy"),
    Language("haskell", "hs lhs", "hs", interpreters="runhaskell"),
    Language("java", "java"),
    Language(
        "javascript",
        "js jsx mjs cjs es6",
        "js jsx node ecmascript",
        "jakefile",
        "node nodejs deno bun",
    ),
    Language("julia", "jl", "jl", interpreters="julia"),
    Language("kotlin", "kt kts", "kt", interpreters="kotlin"),
    Language("lua", "lua rockspec", interpreters="lua luajit"),
    Language("matlab", "matlab mlx"),
    Language("nim", "nim nims nimble"),
    Language("nix", "nix"),
    Language("objectivec", "m mm", "objc objective-c obj-c"),
    Language("ocaml", "ml mli mll mly", "ml", interpreters="ocaml"),
    Language("pascal", "pas pp dpr lpr", "delphi"),
    Language("perl", "pl pm t pod", "pl", "cpanfile", "perl"),
    Language("php", "php php3 php4 php5 phtml inc", interpreters="php"),
    Language("powershell", "ps1 psm1 psd1", "ps1 pwsh", interpreters="pwsh"),
    Language("prolog", "pro prolog plg"),
    Language(
        "python",
        "py pyi pyw pyx pxd pxi bzl star",
        "py python3 py3 cython starlark",
        "sconstruct sconscript wscript build.bazel workspace.bazel",
        "python pypy uv",
    ),
    Language("r", "r rmd", "rlang", ".rprofile", "rscript"),
    Language("racket", "rkt", interpreters="racket"),
    Language(
        "ruby",
        "rb rake gemspec ru podspec jbuilder rbi",
        "rb",
        "gemfile rakefile guardfile podfile fastfile capfile vagrantfile brewfile appraisals",
        "ruby jruby",
    ),
    Language("rust", "rs", "rs"),
    Language("scala", "scala sc sbt", interpreters="scala"),
    Language("scheme", "scm ss sld"),
    Language("solidity", "sol"),
    Language("sql", "sql ddl dml psql", "mysql postgresql postgres sqlite plsql"),
    Language("svelte", "svelte"),
    Language("swift", "swift", interpreters="swift"),
    Language("tcl", "tcl tm", interpreters="tclsh wish"),
    Language("tsx", "tsx"),
    Language("typescript", "ts mts cts", "ts", interpreters="ts-node tsx"),
    Language("vala", "vala vapi"),
    Language("vb", "vb vbs bas", "visualbasic vb.net"),
    Language("verilog", "v vh sv svh", "systemverilog"),
    Language("vhdl", "vhd vhdl"),
    Language("vim", "vim", "viml vimscript", ".vimrc vimrc .gvimrc"),
    Language("vue", "vue"),
    Language("zig", "zig zon"),
    # Markup and styles
    Language("asciidoc", "adoc asciidoc", "adoc"),
    Language("css", "css pcss"),
    Language("html", "html htm xhtml", "htm"),
    Language("latex", "tex sty cls bib ltx", "tex"),
    Language("less", "less"),
    Language("markdown", "md markdown mdown mkd mdx mdc qmd", "md mdx"),
    Language("org", "org"),
    Language("restructuredtext", "rst rest", "rst"),
    Language("scss", "scss sass", "sass"),
    Language("svg", "svg"),
    Language(
        "template",
        "j2 jinja jinja2 tmpl tpl hbs handlebars mustache ejs erb eex heex leex "
        "liquid twig haml pug slim njk",
        "jinja jinja2 erb",
    ),
    Language(
        "xml",
        "xml xsd xsl xslt wsdl plist csproj fsproj vbproj props targets resx nuspec "
        "xaml pom iml storyboard xib",
    ),
    # Data, configuration and build files
    Language("bazel", "bazel", filenames="build workspace"),
    Language(
        "config",
        "cfg conf ini cnf properties prefs env editorconfig service desktop",
        "ini properties",
        ".editorconfig .env .npmrc .gitconfig .gitmodules .gitattributes .flake8 .pylintrc "
        ".coveragerc .curlrc pylintrc",
    ),
    Language("csv", "csv tsv"),
    Language("diff", "diff patch", "patch"),
    Language("dockerfile", "dockerfile containerfile", "docker", "dockerfile containerfile"),
    Language("graphql", "graphql gql graphqls", "gql"),
    Language("hcl", "hcl tf tfvars nomad", "terraform tf"),
    Language(
        "ignore",
        "gitignore dockerignore npmignore",
        filenames=".gitignore .dockerignore .npmignore .eslintignore .prettierignore "
        ".codeintelignore .ignore codeowners",
    ),
    Language(
        "json",
        "json jsonc json5 jsonl ndjson geojson webmanifest ipynb avsc",
        "jsonc json5",
        ".babelrc .eslintrc .prettierrc .jshintrc .swcrc composer.lock",
    ),
    Language("just", "just", filenames="justfile .justfile"),
    Language(
        "make",
        "mk mak make",
        "makefile",
        "makefile gnumakefile makefile.am makefile.in kbuild",
        "make",
    ),
    Language("meson", filenames="meson.build meson_options.txt meson.options"),
    Language("protobuf", "proto", "proto"),
    Language("starlark", filenames="tiltfile buck"),
    Language("thrift", "thrift"),
    Language("toml", "toml", filenames="cargo.lock poetry.lock uv.lock pdm.lock pipfile"),
    Language("yaml", "yml yaml", "yml", ".clang-format .clang-tidy .yamllint"),
    Language(
        TEXT,
        "txt text log rtf",
        "txt plaintext plain",
        "license licence copying notice authors readme changelog",
    ),
)


def _index(column: str) -> dict[str, str]:
    """Return word -> language name for one column of the table; the first row wins."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        for word in getattr(language, column).split():
            found.setdefault(word, language.name)
    return found


NAMES: Final = tuple(language.name for language in LANGUAGES)
"""Every canonical name."""

_BY_SUFFIX: Final = _index("suffixes")
_BY_FILENAME: Final = _index("filenames")
_BY_INTERPRETER: Final = _index("interpreters")
_BY_NAME: Final = _index("aliases") | {name: name for name in NAMES}

_HEADER_SUFFIX: Final = "h"
_CPP_MARKS: Final = (
    b"class ", b"namespace ", b"template<", b"template <", b"std::", b"public:", b"private:",
    b"#include <string>", b"#include <vector>", b"constexpr ",
)  # fmt: skip
"""What a C++ header holds and a C header rarely does."""


def canonical_language(name: str) -> str:
    """Return the canonical name of a language.

    Raises ``UnknownLanguage``, which tells the nearest name and lists the known ones.
    """
    wanted = name.strip().lower()
    known = _BY_NAME.get(wanted)
    if known is None:
        raise UnknownLanguage(
            f"unknown language {name!r}",
            hint=f"{_nearest(wanted)}known languages: {', '.join(NAMES)}",
            value=name,
        )
    return known


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, _BY_NAME, n=1)
    return f"did you mean {near[0]}? " if near else ""


def language_of(path: str, head: bytes = b"") -> str:
    """Return the canonical language of a file, ``text`` when nothing tells.

    ``path`` decides by its last part; ``head``, the first bytes of the file, settles what a name
    leaves open: scripts without a suffix by their ``#!`` line, and C++ headers named ``.h``.
    """
    filename = path[path.rfind("/") + 1 :].lower()
    stem, dot, suffix = filename.rpartition(".")
    named = _BY_FILENAME.get(filename)
    if named is None and dot:
        named = _BY_SUFFIX.get(suffix) or _BY_FILENAME.get(stem.partition(".")[0])
    if named is None:
        return _interpreter_language(head) or TEXT
    if suffix == _HEADER_SUFFIX and any(mark in head for mark in _CPP_MARKS):
        return "cpp"
    return named


def _interpreter_language(head: bytes) -> str | None:
    """Return the language of the program that a ``#!`` line names."""
    if not head.startswith(b"#!"):
        return None
    words = head[2:].partition(b"\n")[0].decode("latin-1").split()
    programs = [word[word.rfind("/") + 1 :] for word in words if not word.startswith("-")]
    if programs and programs[0] == "env":
        programs = [word for word in programs[1:] if "=" not in word]
    if not programs:
        return None
    return _BY_INTERPRETER.get(programs[0].lower().rstrip("0123456789."))
