package decode

// What libjpeg makes of damaged entropy-coded data, as Pillow lets it: it warns and reads on. A code that is in no table
// counts as zero, a coefficient beyond the block goes into its last place, a marker in the midst of the data feeds zeros to
// the end of the unit and leaves the blocks up to the next restart empty, and a restart marker that is not the one expected
// is passed over, taken or waited for, whichever its number makes likely. A file that ends without a marker is an error
// unless the image is whole by then.

// sequentialLenient decodes a block as sequential does.
func (d *jpegDecoder) sequentialLenient(c *component, bx, by int) {
	diff, _ := d.dcDiff(c)
	c.dc += diff
	d.block[0] = int32(int16(c.dc)) * c.quant[0]
	for k := 1; k < 64; k++ {
		symbol, _ := d.bits.symbol(c.acTable)
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 {
			if run != 15 { // end of block
				break
			}
			k += 15
			continue
		}
		k += run
		if d.bits.n < int(size) {
			d.bits.fill()
		}
		z := zigzag[min(k, 63)]
		d.block[z] = extend(d.bits.acc, size) * c.quant[z]
		d.bits.drop(int(size))
	}
	d.put(c, bx, by)
}

// put transforms the block into the plane where the window needs it, and clears it.
func (d *jpegDecoder) put(c *component, bx, by int) {
	if bx >= c.keep.Min.X && bx < c.keep.Max.X && by >= c.keep.Min.Y && by < c.keep.Max.Y {
		wrapIDCT(&d.block, c.plane[8*((by-c.keep.Min.Y)*c.stride+bx-c.keep.Min.X):], c.stride)
	}
	clear(d.block[:])
}

// empty makes the blocks of a unit grey. Those of a progressive file stay as earlier scans left them.
func (d *jpegDecoder) empty(order []*component, x, y int) {
	if d.progressive {
		return
	}
	if len(order) == 1 {
		d.put(order[0], x, y)
		return
	}
	for _, c := range order {
		for v := range c.v {
			for h := range c.h {
				d.put(c, x*c.h+h, y*c.v+v)
			}
		}
	}
}

// resync takes the n-th restart marker as libjpeg's jpeg_resync_to_restart does. A marker that is waited for is looked at
// again at the next restart, and there is no data until then.
func (d *jpegDecoder) resync(n int) error {
	pos := d.bits.pos
	for {
		marker, next, err := d.markerFrom(pos)
		if err != nil {
			return err
		}
		skip, wait := marker < mSOF0, marker >= mSOF0 && (marker < mRST0 || marker > mRST7)
		if !skip && !wait {
			ahead := (int(marker) - mRST0 - n) & 7 // of the one expected
			skip, wait = ahead >= 6, ahead == 1 || ahead == 2
		}
		switch {
		case skip:
			pos = next
			continue
		case wait:
			d.bits.restart(next - 2)
		default:
			d.starved = false
			d.bits.restart(next)
		}
		d.resetPredictors()
		return nil
	}
}

// markerFrom finds the next marker and the byte behind it.
func (d *jpegDecoder) markerFrom(pos int) (marker byte, next int, err error) {
	for ; pos+1 < len(d.data); pos++ {
		if c := d.data[pos+1]; d.data[pos] == 0xff && c != 0 && c != 0xff {
			return c, pos + 2, nil
		}
	}
	return 0, 0, d.cut("before a restart marker")
}

// endsWhole reports whether the data of an image in one scan was enough. libjpeg looks a byte ahead, and Pillow waits for more
// where there is none.
func (d *jpegDecoder) endsWhole() bool {
	return d.bits.pos+1 < len(d.data) || d.bits.left() >= 8
}
