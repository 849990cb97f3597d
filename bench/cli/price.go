package cli

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"zoobench/bench/experiment"
	"zoobench/bench/record"
)

// price is a flag's price of an hour of the machine, in any currency; 0 for none.
type price float64

func (p *price) Set(text string) error {
	v, err := experiment.ParsePrice(text)
	if err != nil {
		return errors.New("want a price an hour above 0, as 0.04/h")
	}
	*p = price(v)
	return nil
}

func (p *price) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(*p), 'f', -1, 64) + "/h"
}

func (p *price) Type() string { return "price" }

// flag adds --price to a command that prints speeds.
func (p *price) flag(c *cobra.Command) {
	c.Flags().Var(p, "price",
		"price of an hour of this machine, as 0.04/h in any currency: adds the cost of a million images (default: none)")
}

// of returns records with this price, or with their own where none was given.
func (p price) of(rs []record.Record) []record.Record {
	if p == 0 {
		return rs
	}
	return record.Priced(rs, float64(p))
}

// costTitle and costCell add a column for costs to a table, where a price was given.
func (p price) costTitle(title []string) []string {
	if p == 0 {
		return title
	}
	return append(title, "cost of 1M images")
}

func (p price) costCell(line []string, cost float64) []string {
	if p == 0 {
		return line
	}
	if cost == 0 {
		return append(line, "–")
	}
	return append(line, record.CostText(cost))
}
