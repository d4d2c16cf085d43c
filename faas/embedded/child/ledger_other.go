//go:build !linux

package child

// ledger keeps nothing where there is no /proc to recognise a process by.
type ledger struct{}

func openLedger(string) (*ledger, error) { return &ledger{}, nil }

func (*ledger) mark() string           { return "P2PFAAS_RUN=1" }
func (*ledger) add(int) (int64, error) { return 0, nil }
func (*ledger) remove(int64)           {}
func (*ledger) close() error           { return nil }
