// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

//! From the types of the committed metadata to those that agents use.

use crate::{
	runtime::runtime_types::{
		bounded_collections::bounded_vec::BoundedVec,
		modicum_primitives::types::JobTerms as RawJobTerms,
	},
	AccountId,
};
use modicum_primitives::{Architecture, Evidence, JobTerms, RejectReason, ResourceTerms};
use subxt::utils::Static;

/// A conversion that loses nothing an agent needs.
pub(crate) trait IntoDomain<T> {
	fn into_domain(self) -> T;
}

impl<T> IntoDomain<T> for Static<T> {
	fn into_domain(self) -> T {
		self.0
	}
}

impl<T: IntoDomain<U>, U> IntoDomain<Option<U>> for Option<T> {
	fn into_domain(self) -> Option<U> {
		self.map(IntoDomain::into_domain)
	}
}

impl<T: IntoDomain<U>, U> IntoDomain<Vec<U>> for BoundedVec<T> {
	fn into_domain(self) -> Vec<U> {
		self.0.into_iter().map(IntoDomain::into_domain).collect()
	}
}

/// The other way, for the arguments of calls.
pub(crate) trait IntoChain<T> {
	fn into_chain(self) -> T;
}

impl IntoChain<Vec<u8>> for &str {
	fn into_chain(self) -> Vec<u8> {
		self.as_bytes().to_vec()
	}
}

impl IntoChain<RawJobTerms<AccountId>> for JobTerms<AccountId> {
	fn into_chain(self) -> RawJobTerms<AccountId> {
		self.into()
	}
}

macro_rules! replaced {
	($($type:ty),+) => {
		$(impl IntoChain<Static<$type>> for $type {
			fn into_chain(self) -> Static<$type> {
				Static(self)
			}
		})+
	};
}
replaced!(Architecture, Evidence, RejectReason, ResourceTerms);

/// URIs and endpoints. What is not UTF-8 leads nowhere, and is shown with marks where it is not.
impl IntoDomain<String> for BoundedVec<u8> {
	fn into_domain(self) -> String {
		String::from_utf8_lossy(&self.0).into_owned()
	}
}

macro_rules! same {
	($($type:ty),+) => {
		$(impl IntoDomain<$type> for $type {
			fn into_domain(self) -> $type {
				self
			}
		}

		impl IntoChain<$type> for $type {
			fn into_chain(self) -> $type {
				self
			}
		})+
	};
}
same!(u32, u64, u128, [u8; 32], AccountId);

/// The terms of a job, from one spelling to the other and back. They cannot be replaced like the other types of
/// `modicum-primitives`, because they are generic.
macro_rules! job_terms {
	($($same:ident),+; $($replaced:ident),+) => {
		impl IntoDomain<JobTerms<AccountId>> for RawJobTerms<AccountId> {
			fn into_domain(self) -> JobTerms<AccountId> {
				JobTerms { $($same: self.$same,)+ $($replaced: self.$replaced.0,)+ }
			}
		}

		impl From<JobTerms<AccountId>> for RawJobTerms<AccountId> {
			fn from(terms: JobTerms<AccountId>) -> Self {
				Self { $($same: terms.$same,)+ $($replaced: Static(terms.$replaced),)+ }
			}
		}
	};
}
job_terms!(
	directory, job_hash, base_layer, max_availability_fee, completion_deadline, match_incentive;
	architecture, limits, max_prices, meter
);
