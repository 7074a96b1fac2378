package app_test

import (
	"os"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

func TestMain(m *testing.M) {
	code := testkit.Run(m)
	_ = os.RemoveAll(built.dir) // "" when no test needed the program
	os.Exit(code)
}
