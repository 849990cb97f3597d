//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"
#include "rows_neon_arm64.h"

EXP_TABLES

// Layer norm: V8 is the sum, then the mean, V9 the squares, then 1/deviation, V28 the epsilon, V29 is 1/C.

#define ADDX(move, bytes, only, repeat) move (R8), F0; ADD $bytes, R8; FADD4(0, 8, 8)
#define ADDSQ(move, bytes, only, repeat) move (R8), F0; ADD $bytes, R8; FSUB4(8, 0, 0); only(F0); FMLA4(0, 0, 9)
#define NORMALISE(move, bytes, only, repeat) \
	move (R8), F0; move (R10), F1; move (R11), F2; \
	FSUB4(8, 0, 0); FMUL4(9, 0, 0); FMLA4(0, 1, 2); \
	move F2, (R9); ADD $bytes, R8; ADD $bytes, R9; ADD $bytes, R10; ADD $bytes, R11

// ACROSS spreads the sum of n's lanes over all of them.
#define ACROSS(n) FADDP4(n, n, n); FADDP4(n, n, n)

// func layernormc4NEON(t *Rows)
TEXT ·layernormc4NEON(SB), NOSPLIT, $0-8
	MOVD  t+0(FP), R0
	BEGIN
	SPREAD(Rows_Lo, F28, V28.S[0], V28.S4)
	SPREAD(Rows_Hi, F29, V29.S[0], V29.S4)
	FMOVS $1.0, F25
	VDUP  V25.S[0], V25.S4

	PCALIGN $64

row:
	ZERO4(8)
	CHANNELS(sum4, sum2, sum1, summed, ADDX)
	ACROSS(8)
	FMUL4(29, 8, 8)
	ZERO4(9)
	CHANNELS(square4, square2, square1, squared, ADDSQ)
	ACROSS(9)
	FMUL4(29, 9, 9)
	FADD4(28, 9, 9)
	FSQRT4(9, 9)
	FDIV4(9, 25, 9)
	CHANNELS(scale4, scale2, scale1, scaled, NORMALISE)
	NEXT_ROW(row)
	RET

// Softmax: V8 is the largest, V9 the sum, then 1/sum, V28 the scale of the scores.

#define LARGEST(move, bytes, only, repeat) \
	move (R8), F0; ADD $bytes, R8; repeat(V0.D2, V0.D[0], V0.S4, V0.S[0]); FMAX4(0, 8, 8)
#define EXPONENT(move, bytes, only, repeat) \
	move (R8), F0; FSUB4(8, 0, 0); FMUL4(28, 0, 0); EXP; \
	move F1, (R9); ADD $bytes, R8; ADD $bytes, R9; only(F1); FADD4(1, 9, 9)
#define DIVIDE(move, bytes, only, repeat) move (R9), F0; FMUL4(9, 0, 0); move F0, (R9); ADD $bytes, R9

// func softmaxc4NEON(t *Rows)
TEXT ·softmaxc4NEON(SB), NOSPLIT, $0-8
	MOVD t+0(FP), R0
	BEGIN
	EXP_CONSTANTS(log2e)
	SPREAD(Rows_Lo, F28, V28.S[0], V28.S4)
	MOVW $0xff800000, R6 // −∞

	PCALIGN $64

row:
	VDUP R6, V8.S4
	CHANNELS(largest4, largest2, largest1, found, LARGEST)
	FMAXV4(8, 8)
	VDUP V8.S[0], V8.S4
	ZERO4(9)
	CHANNELS(exp4, exp2, exp1, summed, EXPONENT)
	ACROSS(9)
	FDIV4(9, 25, 9)
	CHANNELS(divide4, divide2, divide1, divided, DIVIDE)
	NEXT_ROW(row)
	RET
