package main

import (
	"encoding/binary"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// pairs is what an element of a matrix product is, in its four bytes: a float32, or two bf16 numbers. A bf16 number is the upper
// half of a float32, so that the second number of a pair is a float32 with the first as digits that it should not have, and the
// first one is the pair shifted by sixteen bits.
type pairs int

const (
	floats  pairs = iota
	widened       // two bf16, which become two float32 for two multiply-adds
	dotted        // two bf16, for VDPBF16PS
)

// suffix ends a kernel's name.
func (p pairs) suffix() string {
	if p == dotted {
		return "BF16"
	}
	return ""
}

// stepWidened emits the step of one pair: the second numbers' multiply-adds, then the first ones', as VDPBF16PS has them.
func (g *gemm) stepWidened(a []Register, k, b Register, u int) {
	x := g.spare[0]
	for _, second := range []bool{true, false} {
		widen := func(m Mem, v VecVirtual, load func(...Op)) {
			load(m, v)
			if second {
				VPSRLD(Imm(16), v, v)
			}
			VPSLLD(Imm(16), v, v)
		}
		for j, v := range g.b {
			widen(g.right(b, j, u), v, VMOVUPS)
		}
		for i, row := range g.acc {
			widen(Mem{Base: a[i], Index: k, Scale: 1, Disp: 4 * u}, x, VBROADCASTSS)
			for j, acc := range row {
				VFMADD231PS(g.b[j], x, acc)
			}
		}
	}
}

// stepDotted emits the step of one pair.
func (g *gemm) stepDotted(a []Register, k, b Register, u int) {
	for j, x := range g.b {
		VMOVUPS(g.right(b, j, u), x)
	}
	for i, row := range g.acc {
		x := g.spare[i%2]
		VBROADCASTSS(Mem{Base: a[i], Index: k, Scale: 1, Disp: 4 * u}, x)
		for j, acc := range row {
			operands := []Op{g.b[j], x, acc}
			Instruction(&ir.Instruction{Opcode: dotProduct, Operands: operands, Inputs: operands, Outputs: operands[2:]})
		}
	}
}

// dotProduct is an instruction that the assembler does not know: acc += b's second · x's second, then acc += first · first.
const dotProduct = "VDPBF16PS"

// encode turns an instruction that the assembler does not know into its bytes: five, six or ten.
func encode(i *ir.Instruction) error {
	bytes, err := []byte(nil), error(nil)
	if i.Opcode == dotProduct {
		bytes, err = encodeDot(i)
	} else if _, ok := tileCodes[i.Opcode]; ok {
		bytes, err = encodeTiles(i)
	}
	if err != nil || bytes == nil {
		return err
	}
	i.Opcode = ""
	for ; len(bytes) > 4; bytes = bytes[4:] {
		i.Opcode += fmt.Sprintf("LONG $0x%08x; ", binary.LittleEndian.Uint32(bytes))
	}
	if len(bytes) == 1 {
		i.Opcode += "BYTE"
		i.Operands = []Op{U8(bytes[0])}
		return nil
	}
	i.Opcode += "WORD"
	i.Operands = []Op{U16(binary.LittleEndian.Uint16(bytes))}
	return nil
}

// encodeDot is a dotProduct of registers in bytes: the prefix of EVEX with a vector's length of 512 bits, map 0F38, F3 and W0, then
// the opcode and the registers.
func encodeDot(i *ir.Instruction) ([]byte, error) {
	var r [3]byte
	for j, op := range i.Operands {
		p, ok := op.(VecPhysical)
		if !ok {
			return nil, fmt.Errorf("%s: operand %v is no register", dotProduct, op)
		}
		r[j] = byte(p.PhysicalIndex())
	}
	b, x, acc := r[0], r[1], r[2]
	not := func(register, bit byte) byte { return ^register >> bit & 1 }
	return []byte{
		0x62,
		not(acc, 3)<<7 | not(b, 4)<<6 | not(b, 3)<<5 | not(acc, 4)<<4 | 2,
		(^x&15)<<3 | 4 | 2,
		2<<5 | not(x, 4)<<3,
		0x52,
		3<<6 | acc&7<<3 | b&7,
	}, nil
}

// roundRows emits roundc{lanes}{ISA}(t *Rows): rows of float32 as rows of bf16. A number loses its lower half after the addition of
// what rounds it to the nearest, of two the even one. A NaN loses its lower half alone, and gets the bit that makes it quiet.
func roundRows(v *isa) {
	k := begin(v, "round")
	one, half, quiet := v.bits(1), v.bits(0x7fff), v.bits(1<<22)
	loop("round_row")
	k.channels("round", 1, func(_ int, mask Register) {
		x, y := v.vec(), v.vec()
		v.load(Mem{Base: k.in, Index: k.ch, Scale: 1}, x, mask)
		VPSRLD(Imm(16), x, y)
		if v == avx512 {
			nan := K()
			VCMPPS(Imm(3), x, x, nan)
			VPANDD(one, y, y)
			VPADDD(half, y, y)
			VPADDD(x, y, y)
			VPORD(quiet, x, nan, y)
			VPSRLD(Imm(16), y, y)
		} else {
			nan := v.vec()
			VCMPPS(Imm(3), x, x, nan)
			VPAND(one, y, y)
			VPADDD(half, y, y)
			VPADDD(x, y, y)
			VPOR(quiet, x, x)
			VBLENDVPS(nan, x, y, y)
			VPSRLD(Imm(16), y, y)
		}
		at := GP64()
		MOVQ(k.ch, at)
		SHRQ(Imm(1), at)
		out := Mem{Base: k.out, Index: at, Scale: 1}
		if v == avx512 {
			VPMOVDW(y, out)
			return
		}
		VPACKUSDW(y, y, y)
		VPERMQ(Imm(8), y, y)
		VMOVDQU(y.AsX(), out)
	})
	k.next("round_row")
}

// bits emits a vector of a number and is its register.
func (v *isa) bits(bits uint32) VecVirtual {
	x, r := v.vec(), GP32()
	MOVL(U32(bits), r)
	VMOVD(r, x.AsX())
	VPBROADCASTD(x.AsX(), x)
	return x
}
