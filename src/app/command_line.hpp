// The command line: which commands and flags there are, and what is said about wrong ones.
#pragma once

namespace carillon::app {

// Runs the command; gives the exit code of the program.
int run_command_line(int argc, char** argv);

}  // namespace carillon::app
