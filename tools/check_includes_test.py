#!/usr/bin/env python3
"""Each rule of check_includes.py, on small trees that keep or break it."""
import tempfile
import unittest
from pathlib import Path

from check_includes import Checker


def check(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Checker(Path(folder)).run()


CLEAN = {
    "include/carillon/value.hpp": "#pragma once\n#include <string>\n",
    "include/carillon/carillon.hpp": "#include <carillon/value.hpp>\n",
    "src/base/result.hpp": "#include <expected>\n",
    "src/base/system_clock.cpp": "#include <sys/random.h>\nauto t = std::chrono::steady_clock::now();\n",
    "src/http/parser.hpp": '#include "base/result.hpp"\n#include "http/parser.hpp"\n#include <carillon/value.hpp>\n',
    "src/io/loop.cpp": '#include <sys/epoll.h>\n#include <thread>\n#include "base/result.hpp"\n',
    "src/runtime/shard.cpp": '#include "io/loop.hpp"\n#include "http/parser.hpp"\n',
    "src/io/loop.hpp": "",
    "src/engineio/session.cpp": "// not steady_clock::now() here\nauto s = \"time(nullptr)\"; /* random_device */\n"
                                "event.time(0); // a member\nusing T = steady_clock::time_point;\n",
}


class CheckIncludes(unittest.TestCase):
    def expect(self, files, *parts):
        errors = check({**CLEAN, **files})
        self.assertEqual(len(errors), 1, errors)
        for part in parts:
            self.assertIn(part, errors[0])

    def test_a_tree_that_keeps_the_rules_is_clean(self):
        self.assertEqual(check(CLEAN), [])

    def test_an_include_against_the_arrows(self):
        self.expect({"src/http/parser.cpp": '\n#include "engineio/session.hpp"\n', "src/engineio/session.hpp": ""},
                    "src/http/parser.cpp:2", "http/ must not include engineio/session.hpp", "it may include base")

    def test_a_test_may_include_against_the_arrows(self):
        self.assertEqual(check({**CLEAN, "src/engineio/session_test.cpp": '#include "io/loop.hpp"\n#include <thread>\n'}), [])

    def test_a_cycle_is_found_even_through_a_test(self):
        self.expect({"src/base/result_test.cpp": '#include "http/parser.hpp"\n'},
                    "cycle", "base -> http (src/base/result_test.cpp:1)", "http -> base")

    def test_an_unknown_module(self):
        self.expect({"src/stuff/a.hpp": ""}, "src/stuff", "ALLOWED")

    def test_an_include_that_is_not_relative_to_src(self):
        self.expect({"src/http/parser.cpp": '#include "parser.hpp"\n'}, "src/http/parser.cpp:1", '"module/file.hpp"')

    def test_quotes_and_brackets(self):
        self.expect({"src/http/a.cpp": "#include <http/parser.hpp>\n"}, 'write "http/parser.hpp"')
        self.expect({"src/http/a.cpp": '#include "carillon/value.hpp"\n'}, "write <carillon/value.hpp>")

    def test_public_headers_include_only_std_and_each_other(self):
        for line in ('#include "base/result.hpp"', "#include <boost/json.hpp>", "#include <openssl/ssl.h>"):
            self.expect({"include/carillon/server.hpp": line + "\n"}, "include/carillon/server.hpp:1", "public headers")
        self.expect({"include/carillon/server.hpp": "#include <carillon/none.hpp>\n"}, "does not exist")

    def test_system_headers_in_a_core(self):
        for header in ("sys/socket.h", "unistd.h", "netinet/in.h", "thread"):
            self.expect({"src/http/a.cpp": f"#include <{header}>\n"}, "src/http/a.cpp:1", header)

    def test_clocks_and_randomness_in_a_core(self):
        for call in ("std::chrono::steady_clock::now()", "system_clock::now()", "gettimeofday(&t, nullptr)",
                     "time(nullptr)", "std::time(nullptr)", "std::random_device{}", "getrandom(p, 8, 0)"):
            self.expect({"src/http/a.cpp": f"\nauto x = {call};\n"}, "src/http/a.cpp:2", "base/")

    def test_only_the_named_files_of_base_may_read_the_clock(self):
        self.expect({"src/base/timers.cpp": "auto x = steady_clock::now();\n"}, "src/base/timers.cpp:1")

    def test_asio_is_banned_everywhere(self):
        for name in ("src/io/a.cpp", "src/http/a_test.cpp", "examples/bench/main.cpp", "tests/fuzz/a.cpp"):
            self.expect({name: "#include <boost/asio/ip/tcp.hpp>\n"}, name + ":1", "io/")

    def test_a_commented_include_is_none(self):
        self.assertEqual(check({**CLEAN, "src/http/a.cpp": "// #include <thread>\n/*\n#include <thread>\n*/\n"}), [])


if __name__ == "__main__":
    unittest.main()
