//! brainpoolP256r1 for PACE with generic mapping (9303-11, 4.4.3.3.1 and 9.5.1). Scalar multiplication by the curve crate is constant time.

use bp256::r1::{BrainpoolP256r1, NonZeroScalar, ProjectivePoint};
use elliptic_curve::{PrimeField, PublicKey};
use wallet_base::random::Random;
use zeroize::{Zeroize, Zeroizing};

use crate::ReadError;

const BAD_POINT: ReadError = ReadError::malformed("PACE", "not a point of the curve");

/// A private scalar, wiped when dropped.
pub struct Secret(NonZeroScalar);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Secret {
    /// A uniformly random scalar (values outside 1..n are drawn again).
    pub fn random(random: &dyn Random) -> Self {
        loop {
            let mut bytes = Zeroizing::new([0u8; 32]);
            random.fill(bytes.as_mut());
            if let Some(scalar) = Option::from(NonZeroScalar::from_repr((*bytes).into())) {
                return Self(scalar);
            }
        }
    }

    /// The public point on the given generator.
    pub fn public(&self, generator: &Point) -> Result<Point, ReadError> {
        Point::from_projective(generator.0.to_projective() * *self.0)
    }

    /// x coordinate of the shared point (9303-11, 9.6: the input of the key derivation).
    pub fn agree(&self, peer: &Point) -> Result<Zeroizing<Vec<u8>>, ReadError> {
        let shared = self.public(peer)?;
        Ok(Zeroizing::new(shared.encode().get(1..33).unwrap_or_default().to_vec()))
    }

    /// Generic mapping: G' = s * G + H, H = own mapping key times the peer's.
    pub fn map(&self, nonce: &[u8; 16], peer: &Point) -> Result<Point, ReadError> {
        let mut wide = Zeroizing::new([0u8; 32]);
        for (to, from) in wide.iter_mut().skip(16).zip(nonce) {
            *to = *from;
        }
        let s: Option<bp256::Scalar> = bp256::Scalar::from_repr((*wide).into()).into();
        let s = s.ok_or(ReadError::malformed("PACE", "bad nonce"))?;
        let h = peer.0.to_projective() * *self.0;
        Point::from_projective(ProjectivePoint::GENERATOR * s + h)
    }
}

/// A point of the curve that is not the identity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point(PublicKey<BrainpoolP256r1>);

impl Point {
    /// The standard generator.
    pub fn generator() -> Result<Self, ReadError> {
        Self::from_projective(ProjectivePoint::GENERATOR)
    }

    fn from_projective(point: ProjectivePoint) -> Result<Self, ReadError> {
        PublicKey::from_affine(point.to_affine()).map(Self).map_err(|_| BAD_POINT)
    }

    /// Reads 04 || x || y (TR-03111, 3.2.1); other forms and points off the curve are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.len() != 65 || bytes.first() != Some(&4) {
            return Err(BAD_POINT);
        }
        PublicKey::from_sec1_bytes(bytes).map(Self).map_err(|_| BAD_POINT)
    }

    /// 04 || x || y.
    pub fn encode(&self) -> Vec<u8> {
        self.0.to_sec1_bytes().to_vec()
    }
}
