import Foundation

/// ECDSA on P-256 (FIPS 186-5) for tests: right, small, and NOT constant in time. No app may use it; a phone signs in its Secure Enclave.
public enum P256 {
    // Numbers of 256 bits: four words, the lowest first.
    typealias Number = [UInt64]

    static let prime: Number = [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001]
    static let order: Number = [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000]
    static let baseX: Number = [0xf4a1_3945_d898_c296, 0x7703_7d81_2deb_33a0, 0xf8bc_e6e5_63a4_40f2, 0x6b17_d1f2_e12c_4247]
    static let baseY: Number = [0xcbb6_4068_37bf_51f5, 0x2bce_3357_6b31_5ece, 0x8ee7_eb4a_7c0f_9e16, 0x4fe3_42e2_fe1a_7f9b]

    /// A private key: a number between 1 and the order of the group.
    public struct PrivateKey: Sendable {
        let secret: [UInt64]
        /// The public point, SEC 1 uncompressed (65 bytes).
        public let publicKey: [UInt8]

        /// A new key.
        public init() {
            let made = Scalars.random()
            secret = made
            let point = Curve.timesBase(made)
            publicKey = [4] + P256.bytes(point.0) + P256.bytes(point.1)
        }

        /// ECDSA over SHA-256 of `message`: raw r and s, 64 bytes.
        public func sign(_ message: [UInt8]) -> [UInt8] {
            let field = Scalars.field
            let digest = P256.reduced(P256.number(Hashing.sha256(message)), P256.order)
            while true {
                let nonce = Scalars.random()
                let r = P256.reduced(Curve.timesBase(nonce).0, P256.order)
                if P256.isZero(r) { continue }
                let sum = field.add(field.into(digest), field.multiply(field.into(r), field.into(secret)))
                let s = field.outOf(field.multiply(field.inverse(field.into(nonce)), sum))
                if P256.isZero(s) { continue }
                return P256.bytes(r) + P256.bytes(s)
            }
        }
    }

    static func isZero(_ a: Number) -> Bool {
        a.allSatisfy { $0 == 0 }
    }

    static func isBelow(_ a: Number, _ b: Number) -> Bool {
        for i in stride(from: 3, through: 0, by: -1) where a[i] != b[i] { return a[i] < b[i] }
        return false
    }

    /// `a - b` modulo 2 to the 256.
    static func minus(_ a: Number, _ b: Number) -> Number {
        var out = a
        var borrow: UInt64 = 0
        for i in 0..<4 {
            let (first, low) = a[i].subtractingReportingOverflow(b[i])
            let (second, lower) = first.subtractingReportingOverflow(borrow)
            out[i] = second
            borrow = (low || lower) ? 1 : 0
        }
        return out
    }

    /// `a` modulo `m`, for `a` below `2 * m`.
    static func reduced(_ a: Number, _ m: Number) -> Number {
        isBelow(a, m) ? a : minus(a, m)
    }

    static func number(_ bytes: [UInt8]) -> Number {
        var out: Number = [0, 0, 0, 0]
        for (i, byte) in bytes.enumerated() {
            let fromEnd = 31 - i
            out[fromEnd / 8] |= UInt64(byte) << UInt64(8 * (fromEnd % 8))
        }
        return out
    }

    static func bytes(_ a: Number) -> [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: a[(31 - $0) / 8] >> UInt64(8 * ((31 - $0) % 8))) }
    }

    /// Arithmetic modulo an odd number, in Montgomery's form.
    struct Field: Sendable {
        let modulus: Number
        private let factor: UInt64
        private let square: Number

        init(_ modulus: Number) {
            self.modulus = modulus
            // The inverse of the lowest word modulo 2 to the 64, by Newton; negated.
            var inverse: UInt64 = 1
            for _ in 0..<6 { inverse = inverse &* (2 &- modulus[0] &* inverse) }
            factor = 0 &- inverse
            // 2 to the 512 modulo the modulus, by doubling 1.
            var power: Number = [1, 0, 0, 0]
            for _ in 0..<512 { power = Field.sum(power, power, modulus) }
            square = power
        }

        func into(_ a: Number) -> Number { multiply(a, square) }
        func outOf(_ a: Number) -> Number { multiply(a, [1, 0, 0, 0]) }
        func add(_ a: Number, _ b: Number) -> Number { Field.sum(a, b, modulus) }
        func subtract(_ a: Number, _ b: Number) -> Number {
            P256.isBelow(a, b) ? P256.minus(modulus, P256.minus(b, a)) : P256.minus(a, b)
        }

        func multiply(_ a: Number, _ b: Number) -> Number {
            var t: [UInt64] = [0, 0, 0, 0, 0, 0]
            for i in 0..<4 {
                var carry: UInt64 = 0
                for j in 0..<4 { (t[j], carry) = Field.step(t[j], a[j], b[i], carry) }
                let (sum, over) = t[4].addingReportingOverflow(carry)
                t[4] = sum
                t[5] = over ? 1 : 0
                let m = t[0] &* factor
                (_, carry) = Field.step(t[0], m, modulus[0], 0)
                for j in 1..<4 { (t[j - 1], carry) = Field.step(t[j], m, modulus[j], carry) }
                let (last, again) = t[4].addingReportingOverflow(carry)
                t[3] = last
                t[4] = t[5] &+ (again ? 1 : 0)
            }
            let low = Array(t[0..<4])
            return t[4] != 0 || !P256.isBelow(low, modulus) ? P256.minus(low, modulus) : low
        }

        /// By Fermat: to the power of the modulus less two.
        func inverse(_ a: Number) -> Number {
            let exponent = P256.minus(modulus, [2, 0, 0, 0])
            var out = into([1, 0, 0, 0])
            for bit in stride(from: 255, through: 0, by: -1) {
                out = multiply(out, out)
                if (exponent[bit / 64] >> UInt64(bit % 64)) & 1 == 1 { out = multiply(out, a) }
            }
            return out
        }

        private static func sum(_ a: Number, _ b: Number, _ m: Number) -> Number {
            var out: Number = [0, 0, 0, 0]
            var carry: UInt64 = 0
            for i in 0..<4 {
                let (first, high) = a[i].addingReportingOverflow(b[i])
                let (second, higher) = first.addingReportingOverflow(carry)
                out[i] = second
                carry = (high || higher) ? 1 : 0
            }
            return carry == 1 || !P256.isBelow(out, m) ? P256.minus(out, m) : out
        }

        /// `t + a * b + carry` as low and high word.
        private static func step(_ t: UInt64, _ a: UInt64, _ b: UInt64, _ carry: UInt64) -> (UInt64, UInt64) {
            let (high, low) = a.multipliedFullWidth(by: b)
            let (first, one) = low.addingReportingOverflow(t)
            let (second, two) = first.addingReportingOverflow(carry)
            return (second, high &+ (one ? 1 : 0) &+ (two ? 1 : 0))
        }
    }

    enum Scalars {
        static let field = Field(P256.order)

        static func random() -> Number {
            while true {
                let made: Number = (0..<4).map { _ in UInt64.random(in: UInt64.min...UInt64.max) }
                if !P256.isZero(made) && P256.isBelow(made, P256.order) { return made }
            }
        }
    }

    /// Points in Jacobian coordinates, in Montgomery's form; z = 0 is the point at infinity.
    enum Curve {
        typealias Point = (Number, Number, Number)
        static let field = Field(P256.prime)

        /// The base point times 1, 2, 4, 8, ...
        static let powers: [[Number]] = {
            var point: Point = (field.into(P256.baseX), field.into(P256.baseY), field.into([1, 0, 0, 0]))
            var out: [[Number]] = []
            for _ in 0..<256 {
                out.append([point.0, point.1, point.2])
                point = double(point)
            }
            return out
        }()

        /// The affine coordinates of the base point times `scalar`.
        static func timesBase(_ scalar: Number) -> (Number, Number) {
            var sum: Point = ([1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0])
            for bit in 0..<256 where (scalar[bit / 64] >> UInt64(bit % 64)) & 1 == 1 {
                let power = powers[bit]
                sum = add(sum, (power[0], power[1], power[2]))
            }
            let inverse = field.inverse(sum.2)
            let square = field.multiply(inverse, inverse)
            let x = field.outOf(field.multiply(sum.0, square))
            let y = field.outOf(field.multiply(sum.1, field.multiply(square, inverse)))
            return (x, y)
        }

        /// dbl-2001-b, for a = -3.
        static func double(_ p: Point) -> Point {
            let f = field
            let delta = f.multiply(p.2, p.2)
            let gamma = f.multiply(p.1, p.1)
            let beta = f.multiply(p.0, gamma)
            let slope = f.multiply(f.subtract(p.0, delta), f.add(p.0, delta))
            let alpha = f.add(f.add(slope, slope), slope)
            let beta2 = f.add(beta, beta)
            let beta4 = f.add(beta2, beta2)
            let x = f.subtract(f.multiply(alpha, alpha), f.add(beta4, beta4))
            let yz = f.add(p.1, p.2)
            let z = f.subtract(f.subtract(f.multiply(yz, yz), gamma), delta)
            let gamma2 = f.add(gamma, gamma)
            let square = f.multiply(gamma2, gamma2)
            let y = f.subtract(f.multiply(alpha, f.subtract(beta4, x)), f.add(square, square))
            return (x, y, z)
        }

        /// add-1998-cmo-2.
        static func add(_ p: Point, _ q: Point) -> Point {
            let f = field
            if P256.isZero(p.2) { return q }
            if P256.isZero(q.2) { return p }
            let pz2 = f.multiply(p.2, p.2)
            let qz2 = f.multiply(q.2, q.2)
            let u1 = f.multiply(p.0, qz2)
            let u2 = f.multiply(q.0, pz2)
            let s1 = f.multiply(p.1, f.multiply(q.2, qz2))
            let s2 = f.multiply(q.1, f.multiply(p.2, pz2))
            let h = f.subtract(u2, u1)
            let r = f.subtract(s2, s1)
            if P256.isZero(h) {
                return P256.isZero(r) ? double(p) : ([1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0])
            }
            let h2 = f.multiply(h, h)
            let h3 = f.multiply(h, h2)
            let v = f.multiply(u1, h2)
            let x = f.subtract(f.subtract(f.multiply(r, r), h3), f.add(v, v))
            let y = f.subtract(f.multiply(r, f.subtract(v, x)), f.multiply(s1, h3))
            return (x, y, f.multiply(f.multiply(p.2, q.2), h))
        }
    }
}
