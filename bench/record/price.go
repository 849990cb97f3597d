package record

import (
	"slices"
	"strconv"
)

// PerMillion is what a million images cost on a machine with this price an hour and this rate in images a second; 0 where one
// of them is not known.
func PerMillion(pricePerHour, imagesPerSecond float64) float64 {
	if !(pricePerHour > 0) || !(imagesPerSecond > 0) {
		return 0
	}
	return pricePerHour / 3600 / imagesPerSecond * 1e6
}

// CostPerMillion is what a million images cost at the record's rate, 0 where the rate or the price is not known. The machine
// costs the same whether its other cores have work or not.
func (r *Record) CostPerMillion() float64 { return PerMillion(r.price(), r.ImagesPerSec) }

func (r *Record) price() float64 {
	if r.Asked == nil {
		return 0
	}
	return r.Asked.PricePerHour
}

// CostText is a cost with three digits, "" for 0.
func CostText(cost float64) string {
	switch {
	case cost == 0:
		return ""
	case cost >= 1000:
		return strconv.FormatFloat(cost, 'f', 0, 64)
	}
	return strconv.FormatFloat(cost, 'g', 3, 64)
}

// Priced returns the records with this price an hour in place of their own; they are left as they are.
func Priced(rs []Record, perHour float64) []Record {
	rs = slices.Clone(rs)
	for i := range rs {
		asked := Settings{}
		if rs[i].Asked != nil {
			asked = *rs[i].Asked
		}
		asked.PricePerHour = perHour
		rs[i].Asked = &asked
	}
	return rs
}
