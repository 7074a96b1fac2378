// Command mutate changes one limit at a time and runs the tests, to find limits that no test
// holds. It changes the numeric constants and the defaults of options whose name or comment
// speaks of a limit, by an overlay of the go command: no file is touched. It is run by hand,
// since it takes a test run for each limit:
//
//	make mutants PACKAGES="./api ./sessions"
//
// It prints one line for each limit, and ends with the status 1 when one of them survived:
// then a test is missing, or cannot fail.
package main
