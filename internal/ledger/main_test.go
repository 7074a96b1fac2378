package ledger_test

import (
	"os"
	"testing"

	"github.com/perch-im/perch/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Run(m)) }
