package cli

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"zoobench/bench/runner"
	"zoobench/kernels"
)

// versionRow is what zoobench version prints.
type versionRow struct {
	Version     string `json:"version"`
	Revision    string `json:"revision"` // the commit; "" in a build that knows none
	Modified    bool   `json:"modified"` // since that commit
	KernelBuild string `json:"kernel_build"`
	Go          string `json:"go"`
	Platform    string `json:"platform"`
	ISA         string `json:"isa"`
}

func newVersionRow() versionRow {
	row := versionRow{
		Version: "unknown", KernelBuild: runner.KernelBuild(), Go: runtime.Version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, ISA: kernels.ISA(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		row.Version = info.Main.Version
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				row.Revision = s.Value
			case "vcs.modified":
				row.Modified = s.Value == "true"
			}
		}
	}
	return row
}

// String is the row as people read it.
func (r versionRow) String() string {
	commit := cmp.Or(r.Revision, "unknown")
	if r.Modified {
		commit += ", modified"
	}
	return fmt.Sprintf("zoobench %s\ncommit %s\nkernels %s, %s\n%s, %s\n", r.Version, commit, r.KernelBuild, r.ISA, r.Go, r.Platform)
}

func (a *app) version() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			row := newVersionRow()
			if a.format != "table" {
				return newPrinter[versionRow](a, nil, nil).print(row)
			}
			_, err := fmt.Fprint(a.stdout, row)
			return err
		},
	}
	a.formatFlag(c)
	return c
}
