package cli

import (
	"fmt"
	"path/filepath"

	"zoobench/bench/record"
	"zoobench/reports"
	"zoobench/reports/classes"
)

// classRow is a time of a network on a class of machine.
type classRow struct {
	Network  string `json:"network"`
	Settings string `json:"settings,omitempty"`
	Class    string `json:"class"`
	P50      int64  `json:"latency_p50_ns,omitempty"`
	Rank     int    `json:"rank,omitempty"`
	Missing  string `json:"not_measured,omitempty"`
}

// reportClasses writes a report for each class of machine into a folder of its own, and a comparison of the classes beside them.
func (a *app) reportClasses(records []record.Record, problems []record.Problem, out string, folders map[string]string) error {
	c := classes.Compare(records)
	for k := range c.Classes {
		class := &c.Classes[k]
		dir := filepath.Join(out, fmt.Sprintf("class-%c", 'a'+k%26))
		if _, err := reports.Write(dir, class.Records, problems, a.given(folders), sheets(class.Records)...); err != nil {
			return err
		}
		if err := record.WriteFile(filepath.Join(dir, record.FileName), class.Records); err != nil {
			return err
		}
	}
	paths, err := c.Write(out)
	if err != nil {
		return err
	}
	printer := newPrinter(a, []string{"model", "settings", "class", "p50 ms", "rank", "not measured"}, func(r classRow) []string {
		rank := "–"
		if r.Rank > 0 {
			rank = fmt.Sprint(r.Rank)
		}
		p50 := "–"
		if r.Rank > 0 {
			p50 = fmt.Sprintf("%.3f", float64(r.P50)/1e6)
		}
		return []string{r.Network, r.Settings, r.Class, p50, rank, r.Missing}
	})
	for i := range c.Rows {
		for k := range c.Rows[i].Cells {
			cell := &c.Rows[i].Cells[k]
			row := classRow{Network: c.Rows[i].Name, Settings: c.Rows[i].Settings, Class: c.Classes[k].Title, Rank: cell.Rank, Missing: cell.Why}
			if cell.Record == nil {
				row.Missing = "not measured on this class"
			} else if cell.Rank > 0 {
				row.P50 = cell.Record.P50
			}
			if err := printer.print(row); err != nil {
				return err
			}
		}
	}
	if err := printer.close(); err != nil {
		return err
	}
	fmt.Fprintf(a.notes, "%d classes of machine, each with a report of its own in %s; %d pairs of networks change places between them; %s\n",
		len(c.Classes), out, len(c.Swaps()), paths[0])
	return nil
}
