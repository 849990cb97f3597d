//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// The transforms of F(4×4, 3×3), four channels at a time, then two and one; kernels/_asm/winograd.go prints the matrices.
// A line of six goes in at V0 to V5. The frame holds the lines of one direction until those of the other are read.
//
//	R0  t                                    R7  a line's first element
//	R1  In, at the channels under way        R8  address under way
//	R2  Out, at the channels under way       R9  lines left
//	R3, R4, R5  distances                    R10 line in the frame
//	R6  channels left                        R11 Bias, R12 R, at the channels under way

DATA factors<>+0(SB)/4, $2.0
DATA factors<>+4(SB)/4, $4.0
DATA factors<>+8(SB)/4, $5.0
DATA factors<>+12(SB)/4, $8.0
GLOBL factors<>(SB), RODATA|NOPTR, $16

// FACTORS keeps 2, 4, 5 and 8 in V16.
#define FACTORS MOVD $factors<>(SB), R8; FMOVQ (R8), F16

// INPUT makes V4, V17, V18, V19, V6, V5 of V0 to V5:
//
//	V17, V18 = (V4 − 4·V2) ± (V3 − 4·V1)
//	V19, V6  = (V4 − V2) ± 2·(V3 − V1)
//	V4       = V4 − 5·V2 + 4·V0
//	V5       = V5 − 5·V3 + 4·V1
#define INPUT \
	MOV4(4, 6); FMLS4LANE(1, 16, 2, 6); \
	MOV4(3, 7); FMLS4LANE(1, 16, 1, 7); \
	FADD4(7, 6, 17); FSUB4(7, 6, 18); \
	FSUB4(2, 4, 6); FSUB4(1, 3, 7); \
	MOV4(6, 19); FMLA4LANE(0, 16, 7, 19); FMLS4LANE(0, 16, 7, 6); \
	FMLS4LANE(2, 16, 2, 4); FMLA4LANE(1, 16, 0, 4); \
	FMLS4LANE(2, 16, 3, 5); FMLA4LANE(1, 16, 1, 5)

// LOAD6 reads six elements, x apart.
#define LOAD6(move, at, x) \
	move (at), F0; ADD x, at; move (at), F1; ADD x, at; move (at), F2; ADD x, at; \
	move (at), F3; ADD x, at; move (at), F4; ADD x, at; move (at), F5; ADD x, at

// LINE6 reads a line of the frame.
#define LINE6 FLDPQ (R10), (F0, F1); FLDPQ 32(R10), (F2, F3); FLDPQ 64(R10), (F4, F5); ADD $96, R10

// TILE_IN transforms one vector of channels.
#define TILE_IN(move, bytes, columns, rows) \
	MOVD $lines-576(SP), R10; \
	MOVD R1, R7; \
	MOVD $6, R9; \
columns: \
	MOVD R7, R8; \
	LOAD6(move, R8, R3); \
	INPUT; \
	FMOVQ F4, (R10); FMOVQ F17, 96(R10); FMOVQ F18, 192(R10); \
	FMOVQ F19, 288(R10); FMOVQ F6, 384(R10); FMOVQ F5, 480(R10); \
	ADD $16, R10; \
	ADD R4, R7; \
	SUBS $1, R9; \
	BNE columns; \
	MOVD $lines-576(SP), R10; \
	MOVD R2, R8; \
	MOVD $6, R9; \
rows: \
	LINE6; \
	INPUT; \
	move F4, (R8); ADD R5, R8; move F17, (R8); ADD R5, R8; move F18, (R8); ADD R5, R8; \
	move F19, (R8); ADD R5, R8; move F6, (R8); ADD R5, R8; move F5, (R8); ADD R5, R8; \
	SUBS $1, R9; \
	BNE rows; \
	ADD $bytes, R1; \
	ADD $bytes, R2

// func wino4x3inc4NEON(t *Winograd)
TEXT ·wino4x3inc4NEON(SB), 0, $576-8
	MOVD t+0(FP), R0
	FACTORS
	MOVD Winograd_In(R0), R1
	MOVD Winograd_Out(R0), R2
	MOVD Winograd_InRow(R0), R3
	MOVD Winograd_InPixel(R0), R4
	MOVD Winograd_OutRow(R0), R5
	MOVD Winograd_C(R0), R6

	PCALIGN $64

four:
	SUBS $4, R6
	BLT  two
	TILE_IN(FMOVQ, 16, columns4, rows4)
	B    four

	// Fewer than four are left: the low two bits of R6 are their number.
two:
	TBZ $1, R6, one
	TILE_IN(FMOVD, 8, columns2, rows2)

one:
	TBZ $0, R6, done
	TILE_IN(FMOVS, 4, columns1, rows1)

done:
	RET

// OUTPUT makes V0, V7, V6, V5 of V0 to V5:
//
//	V0 = V0 + (V1 + V2) + (V3 + V4)
//	V7 = (V1 − V2) + 2·(V3 − V4)
//	V6 = (V1 + V2) + 4·(V3 + V4)
//	V5 = (V1 − V2) + 8·(V3 − V4) + V5
#define OUTPUT \
	FADD4(2, 1, 6); FSUB4(2, 1, 7); FADD4(4, 3, 17); FSUB4(4, 3, 18); \
	FADD4(6, 0, 0); FADD4(17, 0, 0); \
	FADD4(7, 5, 5); FMLA4LANE(3, 16, 18, 5); \
	FMLA4LANE(0, 16, 18, 7); \
	FMLA4LANE(1, 16, 17, 6)

// ADD_RESIDUAL, CLAMP_STORE: one row of a column of the output. V20 is the bias, V21 and V22 the clamp.
#define ADD_RESIDUAL(move, n) move (R8), F23; ADD R13, R8; FADD4(23, n, n)
#define CLAMP_STORE(move, y, n) FMAX4(21, n, n); FMIN4(22, n, n); move y, (R8); ADD R3, R8

// TILE_OUT transforms one vector of channels.
#define TILE_OUT(move, bytes, lines, columns, no_residual, advance) \
	MOVD $sums-384(SP), R10; \
	MOVD R1, R8; \
	MOVD $6, R9; \
lines: \
	LOAD6(move, R8, R5); \
	OUTPUT; \
	FMOVQ F0, (R10); FMOVQ F7, 96(R10); FMOVQ F6, 192(R10); FMOVQ F5, 288(R10); \
	ADD $16, R10; \
	SUBS $1, R9; \
	BNE lines; \
	MOVD $sums-384(SP), R10; \
	move (R11), F20; \
	MOVD R2, R7; \
	MOVD R12, R15; \
	MOVD $4, R9; \
columns: \
	LINE6; \
	OUTPUT; \
	FADD4(20, 0, 0); FADD4(20, 7, 7); FADD4(20, 6, 6); FADD4(20, 5, 5); \
	CBZ R12, no_residual; \
	MOVD R15, R8; \
	ADD_RESIDUAL(move, 0); ADD_RESIDUAL(move, 7); ADD_RESIDUAL(move, 6); ADD_RESIDUAL(move, 5); \
	ADD R14, R15; \
no_residual: \
	MOVD R7, R8; \
	CLAMP_STORE(move, F0, 0); CLAMP_STORE(move, F7, 7); CLAMP_STORE(move, F6, 6); CLAMP_STORE(move, F5, 5); \
	ADD R4, R7; \
	SUBS $1, R9; \
	BNE columns; \
	ADD $bytes, R1; \
	ADD $bytes, R2; \
	ADD $bytes, R11; \
	CBZ R12, advance; \
	ADD $bytes, R12; \
advance:

// func wino4x3outc4NEON(t *Winograd)
TEXT ·wino4x3outc4NEON(SB), 0, $384-8
	MOVD  t+0(FP), R0
	FACTORS
	MOVD  Winograd_In(R0), R1
	MOVD  Winograd_Out(R0), R2
	MOVD  Winograd_OutRow(R0), R3
	MOVD  Winograd_OutPixel(R0), R4
	MOVD  Winograd_InRow(R0), R5
	MOVD  Winograd_C(R0), R6
	MOVD  Winograd_Bias(R0), R11
	MOVD  Winograd_R(R0), R12
	MOVD  Winograd_ResRow(R0), R13
	MOVD  Winograd_ResPixel(R0), R14
	FMOVS Winograd_Lo(R0), F21
	FMOVS Winograd_Hi(R0), F22
	VDUP  V21.S[0], V21.S4
	VDUP  V22.S[0], V22.S4

	PCALIGN $64

four:
	SUBS $4, R6
	BLT  two
	TILE_OUT(FMOVQ, 16, lines4, columns4, no_residual4, advance4)
	B    four

	// Fewer than four are left: the low two bits of R6 are their number.
two:
	TBZ $1, R6, one
	TILE_OUT(FMOVD, 8, lines2, columns2, no_residual2, advance2)

one:
	TBZ $0, R6, done
	TILE_OUT(FMOVS, 4, lines1, columns1, no_residual1, advance1)

done:
	RET
