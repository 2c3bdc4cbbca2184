//! The fields that QR codes are corrected in, as `rqrr` asks the crate `g2p` for them.
//!
//! That crate multiplies by a table of all products: 64 kB that do not compress, a fifteenth of what a phone downloaded of the web wallet.
//! Here are logarithms, half a kilobyte; a power is one look at them.
//!
//! Architecture invariant: nothing secret is computed in these fields. What a look-up takes depends on what is looked up.

use std::ops::{Add, AddAssign, Div, Mul, MulAssign};

/// A field of 2ⁿ elements, of which `GENERATOR` makes all but zero.
pub trait GaloisField:
    Add<Output = Self> + AddAssign + Mul<Output = Self> + MulAssign + Div<Output = Self> + Copy + Eq
{
    /// What changes no sum.
    const ZERO: Self;
    /// What changes no product.
    const ONE: Self;
    /// The element whose powers are all others than zero.
    const GENERATOR: Self;

    /// The product of so many times this element.
    #[must_use]
    fn pow(self, exponent: usize) -> Self;
}

/// Products by sums, in the field of `SIZE` elements.
#[derive(Debug)]
pub struct Logarithms<const SIZE: usize> {
    powers: [u8; SIZE],
    logarithms: [u8; SIZE],
}

impl<const SIZE: usize> Logarithms<SIZE> {
    /// How many powers of the generator differ.
    const ORDER: usize = SIZE - 1;

    /// Those of the polynomials modulo this one, a bit for a coefficient.
    ///
    /// # Panics
    ///
    /// If x does not generate that field: as a constant, it does not compile then.
    #[must_use]
    pub const fn modulo(modulus: u16) -> Self {
        let rest = modulus.to_le_bytes()[0];
        let (mut powers, mut logarithms) = ([0; SIZE], [0; SIZE]);
        let (mut element, mut exponent) = (1_u8, 0_u8);
        while (exponent as usize) < Self::ORDER {
            assert!(exponent == 0 || element != 1, "x does not generate the field");
            powers[exponent as usize] = element;
            logarithms[element as usize] = exponent;
            let overflows = SIZE / 2 <= element as usize;
            element = element << 1 ^ if overflows { rest } else { 0 };
            exponent += 1;
        }
        assert!(element == 1, "x does not generate the field");
        Self { powers, logarithms }
    }

    /// The product of two elements.
    #[must_use]
    pub fn product(&self, left: u8, right: u8) -> u8 {
        if left == 0 || right == 0 {
            return 0;
        }
        self.powers[(self.logarithm(left) + self.logarithm(right)) % Self::ORDER]
    }

    /// What gives the first when it is multiplied by the second.
    ///
    /// # Panics
    ///
    /// If the second is zero.
    #[must_use]
    pub fn quotient(&self, left: u8, right: u8) -> u8 {
        assert!(right != 0, "division by zero");
        self.product(left, self.power(right, Self::ORDER - 1))
    }

    /// The product of so many times this element.
    #[must_use]
    pub fn power(&self, element: u8, exponent: usize) -> u8 {
        match (element, exponent) {
            (_, 0) => 1,
            (0, _) => 0,
            _ => self.powers[self.logarithm(element) * (exponent % Self::ORDER) % Self::ORDER],
        }
    }

    fn logarithm(&self, element: u8) -> usize {
        usize::from(self.logarithms[usize::from(element)])
    }
}

/// A type for the field of so many bits, of polynomials modulo this one.
#[macro_export]
macro_rules! g2p {
    ($name:ident, $bits:literal, modulus: $modulus:literal) => {
        /// An element of the field.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub struct $name(pub u8);

        const _: () = {
            static LOGARITHMS: $crate::Logarithms<{ 1 << $bits }> =
                $crate::Logarithms::modulo($modulus);

            impl ::core::ops::Add for $name {
                type Output = Self;
                #[allow(clippy::suspicious_arithmetic_impl, reason = "a sum of polynomials")]
                fn add(self, other: Self) -> Self {
                    Self(self.0 ^ other.0)
                }
            }

            impl ::core::ops::AddAssign for $name {
                fn add_assign(&mut self, other: Self) {
                    *self = *self + other;
                }
            }

            impl ::core::ops::Mul for $name {
                type Output = Self;
                fn mul(self, other: Self) -> Self {
                    Self(LOGARITHMS.product(self.0, other.0))
                }
            }

            impl ::core::ops::MulAssign for $name {
                fn mul_assign(&mut self, other: Self) {
                    *self = *self * other;
                }
            }

            impl ::core::ops::Div for $name {
                type Output = Self;
                fn div(self, other: Self) -> Self {
                    Self(LOGARITHMS.quotient(self.0, other.0))
                }
            }

            impl $crate::GaloisField for $name {
                const ZERO: Self = Self(0);
                const ONE: Self = Self(1);
                const GENERATOR: Self = Self(2);
                fn pow(self, exponent: usize) -> Self {
                    Self(LOGARITHMS.power(self.0, exponent))
                }
            }
        };
    };
}
