package decode

// A scanHeader is the spectral selection and successive approximation of a scan
// (T.81 B.2.3).
type scanHeader struct {
	from, to  int // zigzag positions
	high, low uint
}

// scan reads a scan header and the entropy-coded data after it.
func (d *jpegDecoder) scan(p []byte) error {
	if len(p) < 1 || int(p[0]) < 1 || int(p[0]) > d.ncomp || len(p) != 4+2*int(p[0]) {
		return d.bad("scan header: %d bytes for a frame of %d components", len(p), d.ncomp)
	}
	n := int(p[0])
	tail := p[1+2*n:]
	s := scanHeader{from: int(tail[0]), to: int(tail[1]), high: uint(tail[2] >> 4), low: uint(tail[2] & 15)}
	if !d.progressive {
		s = scanHeader{from: 0, to: 63}
	} else if err := d.checkProgression(s, n); err != nil {
		return err
	}
	var order [4]*component
	blocks := 0
	for i := range n {
		id, tables := p[1+2*i], p[2+2*i]
		for j := range d.ncomp {
			if d.comp[j].id == id {
				order[i] = &d.comp[j]
			}
		}
		c := order[i]
		if c == nil {
			return d.bad("scan of component %d, which the frame lacks", id)
		}
		for _, earlier := range order[:i] {
			if earlier == c {
				return d.bad("scan with component %d twice", id)
			}
		}
		if !d.progressive && c.scanned {
			return d.bad("component %d has a second scan", id)
		}
		if tables>>4 > 3 || tables&15 > 3 {
			return d.bad("component %d: Huffman tables %#02x, want 0 to 3", id, tables)
		}
		c.dcTable, c.acTable = &d.huff[0][tables>>4], &d.huff[1][tables&15]
		if !d.progressive {
			d.standardTables(c)
		}
		if s.from == 0 && s.high == 0 && !c.dcTable.defined {
			return d.bad("component %d: DC Huffman table %d is missing", id, tables>>4)
		}
		if s.to > 0 && !c.acTable.defined {
			return d.bad("component %d: AC Huffman table %d is missing", id, tables&15)
		}
		if c.quant == nil {
			if !d.have[c.quantIndex] {
				return d.bad("component %d: quantisation table %d is missing", id, c.quantIndex)
			}
			c.latched = d.quant[c.quantIndex]
			c.quant = &c.latched
		}
		if d.progressive && s.from > 0 && !c.scanned && !d.lenient {
			return d.bad("component %d: AC scan before its DC scan", id)
		}
		c.scanned = true
		for k := s.from; k <= s.to; k++ {
			c.missing[k] = int8(s.low)
		}
		blocks += c.h * c.v
	}
	if n > 1 && blocks > 10 {
		return d.bad("scan with %d blocks in a unit, want at most 10", blocks)
	}
	d.bits, d.starved = bitReader{data: d.data, lenient: d.lenient}, false
	d.bits.restart(d.pos)
	if err := d.units(order[:n], s); err != nil {
		return err
	}
	d.pos = d.bits.pos
	return nil
}

// checkProgression holds a progressive scan header against T.81 G.1.1.1.
func (d *jpegDecoder) checkProgression(s scanHeader, n int) error {
	switch {
	case s.from > s.to || s.to > 63, s.from == 0 && s.to > 0:
		return d.bad("progressive scan of coefficients %d to %d", s.from, s.to)
	case s.from > 0 && n > 1:
		return d.bad("progressive AC scan of %d components, want 1", n)
	case s.low > 13 || s.high > 13 || s.high != 0 && s.high != s.low+1:
		return d.bad("progressive scan from bit %d to bit %d", s.high, s.low)
	}
	return nil
}

// units walks the scan's minimum coded units.
func (d *jpegDecoder) units(order []*component, s scanHeader) error {
	unitsX, unitsY := d.mcusX, d.mcusY
	single := len(order) == 1
	if single { // not interleaved: a unit is a block, and padding blocks are absent
		unitsX, unitsY = ceilDiv(order[0].width, 8), ceilDiv(order[0].height, 8)
	}
	d.resetPredictors()
	untilRestart, restarts := d.restartInterval, 0
	for y := range unitsY {
		for x := range unitsX {
			if d.restartInterval > 0 {
				if untilRestart == 0 {
					restart := d.restart
					if d.lenient {
						restart = d.resync
					}
					if err := restart(restarts); err != nil {
						return err
					}
					untilRestart = d.restartInterval
					restarts++
				}
				untilRestart--
			}
			if d.starved {
				d.empty(order, x, y)
				continue
			}
			var what string
			if single {
				what = d.decodeBlock(order[0], x, y, s)
			} else {
				what = d.interleaved(order, x, y, s)
			}
			if what == "" && d.bits.short() {
				if d.bits.pos+1 >= len(d.data) {
					return d.cut("in the entropy-coded data")
				}
				if d.lenient {
					d.starved = true
				} else {
					what = "entropy-coded data ends early"
				}
			}
			if what != "" {
				d.pos = d.bits.pos
				return d.bad("unit (%d, %d) of %d×%d: %s", x, y, unitsX, unitsY, what)
			}
		}
	}
	return nil
}

// interleaved decodes the blocks of every component in the unit (x, y).
func (d *jpegDecoder) interleaved(order []*component, x, y int, s scanHeader) string {
	for _, c := range order {
		for v := range c.v {
			for h := range c.h {
				if what := d.decodeBlock(c, x*c.h+h, y*c.v+v, s); what != "" {
					return what
				}
			}
		}
	}
	return ""
}

func (d *jpegDecoder) resetPredictors() {
	for i := range d.ncomp {
		d.comp[i].dc = 0
	}
	d.eobRun = 0
}

// restart takes the n-th restart marker; bytes before it are skipped, as
// libjpeg does with a warning.
func (d *jpegDecoder) restart(n int) error {
	pos := d.bits.pos
	for {
		for pos < len(d.data) && d.data[pos] != 0xff {
			pos++
		}
		for pos < len(d.data) && d.data[pos] == 0xff {
			pos++
		}
		if pos >= len(d.data) {
			return d.cut("before a restart marker")
		}
		if d.data[pos] != 0 {
			break
		}
	}
	if got, want := d.data[pos], byte(mRST0+n%8); got != want {
		d.pos = pos
		return d.bad("marker %#02x, want restart marker %#02x", got, want)
	}
	d.bits.restart(pos + 1)
	d.resetPredictors()
	return nil
}

// decodeBlock decodes the block (bx, by) of c, and returns what is wrong with
// it or "".
func (d *jpegDecoder) decodeBlock(c *component, bx, by int, s scanHeader) string {
	switch {
	case !d.progressive && d.lenient:
		d.sequentialLenient(c, bx, by)
		return ""
	case !d.progressive:
		return d.sequential(c, bx, by)
	}
	block := c.coefs[64*(by*c.blocksX+bx):][:64]
	switch {
	case s.from == 0 && s.high == 0:
		diff, what := d.dcDiff(c)
		c.dc += diff
		block[0] = int16(c.dc << s.low)
		return what
	case s.from == 0:
		block[0] |= int16(d.bits.bit() << s.low)
		return ""
	case s.high == 0:
		return d.acFirst(c.acTable, block, s)
	}
	return d.acRefine(c.acTable, block, s)
}

const (
	badCode = "no such Huffman code"
	badRun  = "run of zeros past the end of the block"
)

// dcDiff takes a DC difference.
func (d *jpegDecoder) dcDiff(c *component) (int32, string) {
	size, ok := d.bits.symbol(c.dcTable)
	if !ok {
		return 0, badCode
	}
	if size == 0 {
		return 0, ""
	}
	if d.bits.n < int(size) {
		d.bits.fill()
	}
	diff := extend(d.bits.acc, uint(size))
	d.bits.acc <<= size
	d.bits.n -= int(size)
	return diff, ""
}

// sequential decodes a whole block and, where the window needs it, transforms
// it into the plane.
func (d *jpegDecoder) sequential(c *component, bx, by int) string {
	diff, what := d.dcDiff(c)
	if what != "" {
		return what
	}
	c.dc += diff
	wanted := bx >= c.keep.Min.X && bx < c.keep.Max.X && by >= c.keep.Min.Y && by < c.keep.Max.Y
	if !wanted {
		return d.skipAC(c.acTable)
	}
	q, t := c.quant, c.acTable
	d.block[0] = int32(int16(c.dc)) * q[0]
	acc, n := d.bits.acc, d.bits.n
	last, size := 0, magnitude(d.block[0])
	for k := 1; k < 64; k++ {
		if n < 32 {
			d.bits.acc, d.bits.n = acc, n
			d.bits.fill()
			acc, n = d.bits.acc, d.bits.n
		}
		e := t.look[acc>>(64-lookBits)]
		if e&folded != 0 {
			k += int(e >> 8 & 15)
			acc <<= e & 31
			n -= int(e & 31)
			if k > 63 {
				return badRun
			}
			z := zigzag[k] & 63
			v := (int32(e) >> 16) * q[z]
			d.block[z] = v
			size |= magnitude(v)
			last = k
			continue
		}
		symbol, length := byte(e>>8), int(e&31)
		if e == 0 {
			if symbol, length = t.slow(acc); length == 0 {
				return badCode
			}
		}
		acc <<= uint(length) & 31
		n -= length
		bits := uint(symbol & 15)
		if bits == 0 {
			if symbol != 0xf0 { // end of block
				break
			}
			k += 15
			continue
		}
		k += int(symbol >> 4)
		if k > 63 {
			return badRun
		}
		z := zigzag[k] & 63
		v := extend(acc, bits) * q[z]
		d.block[z] = v
		size |= magnitude(v)
		acc <<= bits
		n -= int(bits)
		last = k
	}
	d.bits.acc, d.bits.n = acc, n
	dst := c.plane[8*((by-c.keep.Min.Y)*c.stride+bx-c.keep.Min.X):]
	switch {
	case size >= wrapFrom:
		wrapIDCT(&d.block, dst, c.stride)
	case last == 0:
		idctDC(d.block[0], dst, c.stride)
		return ""
	default:
		idct(&d.block, dst, c.stride)
	}
	clear(d.block[:])
	return ""
}

// skipAC reads a block's AC coefficients and drops them.
func (d *jpegDecoder) skipAC(t *huffTable) string {
	acc, n := d.bits.acc, d.bits.n
	for k := 1; k < 64; k++ {
		if n < 32 {
			d.bits.acc, d.bits.n = acc, n
			d.bits.fill()
			acc, n = d.bits.acc, d.bits.n
		}
		e := t.look[acc>>(64-lookBits)]
		if e&folded != 0 {
			k += int(e >> 8 & 15)
			acc <<= e & 31
			n -= int(e & 31)
			if k > 63 {
				return badRun
			}
			continue
		}
		symbol, length := byte(e>>8), int(e&31)
		if e == 0 {
			if symbol, length = t.slow(acc); length == 0 {
				return badCode
			}
		}
		size := int(symbol & 15)
		acc <<= uint(length + size)
		n -= length + size
		if size == 0 && symbol != 0xf0 {
			break
		}
		k += int(symbol >> 4)
		if size > 0 && k > 63 {
			return badRun
		}
	}
	d.bits.acc, d.bits.n = acc, n
	return ""
}

// acFirst is the first scan of a band of AC coefficients (T.81 G.1.2.2).
func (d *jpegDecoder) acFirst(t *huffTable, block []int16, s scanHeader) string {
	if d.eobRun > 0 {
		d.eobRun--
		return ""
	}
	for k := s.from; k <= s.to; k++ {
		symbol, ok := d.bits.symbol(t)
		if !ok {
			return badCode
		}
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 {
			if run < 15 {
				d.eobRun = 1<<run - 1 + d.bits.bits(run)
				break
			}
			k += 15
			continue
		}
		if k += run; k > s.to && !d.lenient {
			return badRun
		}
		if d.bits.n < int(size) {
			d.bits.fill()
		}
		block[zigzag[min(k, 63)]] = int16(extend(d.bits.acc, size) << s.low)
		d.bits.acc <<= size
		d.bits.n -= int(size)
	}
	return ""
}

// acRefine adds one bit to a band of AC coefficients (T.81 G.1.2.3): a
// correction bit for each that is not zero yet, and new ones of magnitude one.
func (d *jpegDecoder) acRefine(t *huffTable, block []int16, s scanHeader) string {
	one := int16(1) << s.low
	k := s.from
	if d.eobRun == 0 {
		for ; k <= s.to; k++ {
			symbol, ok := d.bits.symbol(t)
			if !ok {
				return badCode
			}
			run, fresh := int(symbol>>4), int16(0)
			switch size := symbol & 15; {
			case size == 1 || size > 1 && d.lenient:
				if fresh = -one; d.bits.bit() == 1 {
					fresh = one
				}
			case size > 1:
				return "refinement by more than one bit"
			case run < 15:
				d.eobRun = 1<<run + d.bits.bits(run)
			}
			if d.eobRun > 0 {
				break
			}
			k = d.correct(block, k, s.to, run, one)
			if fresh != 0 {
				if k > s.to && !d.lenient {
					return badRun
				}
				block[zigzag[min(k, 63)]] = fresh
			}
		}
	}
	if d.eobRun > 0 {
		d.correct(block, k, s.to, -1, one)
		d.eobRun--
	}
	return ""
}

// correct takes the correction bits of the coefficients that are not zero, from
// position k on, past run zeros, and returns the position of the zero after
// them; with run < 0 it goes on to the end of the band.
func (d *jpegDecoder) correct(block []int16, k, to, run int, one int16) int {
	for ; k <= to; k++ {
		p := &block[zigzag[k]]
		if *p == 0 {
			if run == 0 {
				break
			}
			run--
			continue
		}
		if d.bits.bit() == 1 && *p&one == 0 {
			if *p > 0 {
				*p += one
			} else {
				*p -= one
			}
		}
	}
	return k
}

// transform dequantises and transforms the blocks that the window needs.
func (d *jpegDecoder) transform() {
	for i := range d.ncomp {
		c := &d.comp[i]
		for by := c.keep.Min.Y; by < c.keep.Max.Y; by++ {
			for bx := c.keep.Min.X; bx < c.keep.Max.X; bx++ {
				coefs := c.coefs[64*(by*c.blocksX+bx):][:64]
				ac, size := int16(0), int32(0)
				for k, v := range coefs {
					w := int32(v) * c.quant[k]
					d.block[k] = w
					size |= magnitude(w)
					if k > 0 {
						ac |= v
					}
				}
				dst := c.plane[8*((by-c.keep.Min.Y)*c.stride+bx-c.keep.Min.X):]
				switch {
				case size >= wrapFrom:
					wrapIDCT(&d.block, dst, c.stride)
				case ac == 0:
					idctDC(d.block[0], dst, c.stride)
				default:
					idct(&d.block, dst, c.stride)
				}
			}
		}
	}
	clear(d.block[:])
}
