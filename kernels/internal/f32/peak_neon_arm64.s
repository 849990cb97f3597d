//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// func fmaPeakNEON(rounds int, x *[8]float32)
//
// V0 and V1 hold x, V8 to V31 the chains, two registers each. Four multipliers of four cycles' latency, as wide cores have
// them, need sixteen.
TEXT ·fmaPeakNEON(SB), NOSPLIT, $0-16
	MOVD rounds+0(FP), R0
	MOVD x+8(FP), R1
	FLDPQ (R1), (F0, F1)

#define EACH(op) op(8); op(10); op(12); op(14); op(16); op(18); op(20); op(22); op(24); op(26); op(28); op(30)
#define START(n) MOV4(0, n); MOV4(1, n+1)
#define MUL(n) FMLA4(0, 0, n); FMLA4(1, 1, n+1)
	EACH(START)

	PCALIGN $64

round:
	EACH(MUL)
	SUBS $1, R0
	BNE  round

	// Sum the chains in their order.
	ZERO4(0)
	ZERO4(1)

#define SUM(n) FADD4(n, 0, 0); FADD4(n+1, 1, 1)
	EACH(SUM)
	FSTPQ (F0, F1), (R1)
	RET

// func readSumNEON(p *float32, blocks int, sum *[8]float32)
//
// V16 to V31 hold a sum each; even ones are of the elements 0 to 3 of eight, odd ones of 4 to 7.
TEXT ·readSumNEON(SB), NOSPLIT, $0-24
	MOVD p+0(FP), R0
	MOVD blocks+8(FP), R1
	MOVD sum+16(FP), R2

#define EACH8(op) op(0, 16); op(32, 18); op(64, 20); op(96, 22); op(128, 24); op(160, 26); op(192, 28); op(224, 30)
#define CLEAR(off, n) ZERO4(n); ZERO4(n+1)
#define READ(off, n) FLDPQ off(R0), (F0, F1); FADD4(0, n, n); FADD4(1, n+1, n+1)
#define JOIN(off, n) FADD4(n, 0, 0); FADD4(n+1, 1, 1)
	EACH8(CLEAR)

	PCALIGN $64

block:
	EACH8(READ)
	ADD  $256, R0
	SUBS $1, R1
	BNE  block

	FLDPQ (R2), (F0, F1)
	EACH8(JOIN)
	FSTPQ (F0, F1), (R2)
	RET
