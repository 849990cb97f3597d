package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// fmaPeak emits fmaPeak{ISA}(rounds int, x *[8]float32): chains of multiply-adds that depend on nothing but themselves.
// A multiply-add takes 4 cycles to its result and two start in a cycle, so 8 chains would do; 12 leave room for a core
// whose latency is 5. With vectors of sixteen everything is computed twice over.
func fmaPeak(v *isa, chains int) {
	TEXT("fmaPeak"+v.suffix, NOSPLIT, "func(rounds int, x *[8]float32)")
	Pragma("noescape")
	rounds := Load(Param("rounds"), GP64())
	x := Mem{Base: Load(Param("x"), GP64())}
	a := v.vec()
	if v == avx512 {
		VBROADCASTF32X8(x, a)
	} else {
		VMOVUPS(x, a)
	}
	acc := make([]VecVirtual, chains)
	for i := range acc {
		acc[i] = v.vec()
		VMOVAPS(a, acc[i])
	}
	loop("round")
	for i := range acc {
		VFMADD231PS(a, a, acc[i])
	}
	DECQ(rounds)
	JNZ(LabelRef("round"))
	for i := 1; i < chains; i++ {
		VADDPS(acc[i], acc[0], acc[0])
	}
	VMOVUPS(acc[0].AsY(), x)
	VZEROUPPER()
	RET()
}

// readSum emits readSumAVX2(p *float32, blocks int, sum *[8]float32): eight loads a turn, each with a sum of its own.
func readSum() {
	const vecs = 8
	TEXT("readSumAVX2", NOSPLIT, "func(p *float32, blocks int, sum *[8]float32)")
	Pragma("noescape")
	p := Load(Param("p"), GP64())
	blocks := Load(Param("blocks"), GP64())
	sum := Mem{Base: Load(Param("sum"), GP64())}
	acc := make([]VecVirtual, vecs)
	for i := range acc {
		acc[i] = YMM()
		VXORPS(acc[i], acc[i], acc[i])
	}
	loop("block")
	for i := range acc {
		VADDPS(Mem{Base: p, Disp: 32 * i}, acc[i], acc[i])
	}
	ADDQ(U32(32*vecs), p)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	for i := 1; i < vecs; i++ {
		VADDPS(acc[i], acc[0], acc[0])
	}
	VADDPS(sum, acc[0], acc[0])
	VMOVUPS(acc[0], sum)
	VZEROUPPER()
	RET()
}
