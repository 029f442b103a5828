//! Polynomials over GF(2) as bits of a number: what Rabin fingerprints are computed modulo.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::crypto::fill_random;

/// Degree of restic's chunker polynomials.
const DEGREE: u32 = 53;

/// A polynomial over GF(2); bit `i` is the coefficient of `x^i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Polynomial(u64);

impl Polynomial {
    #[cfg(test)]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The coefficients.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The highest power; polynomials from config files are never zero.
    pub(crate) fn degree(self) -> u32 {
        self.0.max(1).ilog2()
    }

    /// A random irreducible polynomial. Every 53rd or so of this degree is one.
    pub(crate) fn random() -> Self {
        loop {
            let mut bytes = [0; 8];
            fill_random(&mut bytes);
            let low = u64::from_le_bytes(bytes) & ((1 << DEGREE) - 1);
            let candidate = Self(low | 1 << DEGREE | 1);
            if candidate.is_irreducible() {
                return candidate;
            }
        }
    }

    /// Whether no product of smaller ones (Ben-Or's test).
    pub(crate) fn is_irreducible(self) -> bool {
        let x = 2;
        let mut power = x;
        (1..=self.degree() / 2).all(|_| {
            power = multiply_mod(power, power, self.0);
            gcd(self.0, power ^ x) == 1
        })
    }
}

/// `a * b mod m`, with `a` of a lower degree than `m`.
fn multiply_mod(a: u64, b: u64, m: u64) -> u64 {
    let top = 1_u64 << m.ilog2();
    let mut product = 0;
    for bit in (0..u64::BITS).rev() {
        product <<= 1;
        if product & top != 0 {
            product ^= m;
        }
        if b >> bit & 1 == 1 {
            product ^= a;
        }
    }
    product
}

/// `a mod m`.
pub(crate) fn modulo(mut a: u64, m: u64) -> u64 {
    let degree = m.ilog2();
    while a != 0 && a.ilog2() >= degree {
        a ^= m << (a.ilog2() - degree);
    }
    a
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, modulo(a, b));
    }
    a
}

impl Serialize for Polynomial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Polynomial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bits = u64::from_str_radix(&text, 16).map_err(de::Error::custom)?;
        let polynomial = Self(bits);
        // Tables shift by the degree minus eight, and residues by eight.
        if !(16..=DEGREE).contains(&polynomial.degree()) || !polynomial.is_irreducible() {
            return Err(de::Error::custom("not an irreducible polynomial"));
        }
        Ok(polynomial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_irreducible_ones() {
        // x^2+x+1, x^8+x^4+x^3+x+1 (AES) and the polynomial of restic's own tests.
        for bits in [0b111, 0x11b, 0x003D_A335_8B4D_C173] {
            assert!(Polynomial(bits).is_irreducible(), "{bits:x}");
        }
        // x^2+1 = (x+1)^2, and a product of two of degree 4.
        for bits in [0b101, 0x003D_A335_8B4D_C172, 0b1_0001_0001] {
            assert!(!Polynomial(bits).is_irreducible(), "{bits:x}");
        }
    }

    #[test]
    fn random_ones_are_of_restics_degree_and_come_back_from_json() {
        let polynomial = Polynomial::random();
        assert_eq!(polynomial.degree(), 53);
        let json = serde_json::to_string(&polynomial).unwrap();
        assert_eq!(
            serde_json::from_str::<Polynomial>(&json).unwrap(),
            polynomial
        );
    }

    #[test]
    fn unusable_ones_are_refused() {
        for json in [
            "\"0\"",
            "\"1\"",
            "\"3\"",
            "\"ffffffffffffffff\"",
            "\"xyz\"",
            "7",
        ] {
            assert!(serde_json::from_str::<Polynomial>(json).is_err(), "{json}");
        }
    }
}
