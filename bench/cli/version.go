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

func (a *app) version() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
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
			if a.format != "table" {
				return newPrinter[versionRow](a, nil, nil).print(row)
			}
			commit := cmp.Or(row.Revision, "unknown")
			if row.Modified {
				commit += ", modified"
			}
			_, err := fmt.Fprintf(a.stdout, "zoobench %s\ncommit %s\nkernels %s, %s\n%s, %s\n", row.Version, commit, row.KernelBuild, row.ISA,
				row.Go, row.Platform)
			return err
		},
	}
	a.formatFlag(c)
	return c
}
