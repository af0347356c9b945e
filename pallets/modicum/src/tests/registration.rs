// Copyright The MODiCuM developers
// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, *};
use frame::{testing_prelude::*, traits::ReservableCurrency};
use modicum_primitives::{Architecture, Balance};

/// What an account entry of a list costs, and a base layer: 8 and 32 bytes.
const ACCOUNT_ENTRY: Balance = 8 * PER_BYTE;
const LAYER_ENTRY: Balance = 32 * PER_BYTE;

fn deposit(who: AccountId) -> Balance {
	held(HoldReason::Registration, who)
}

fn register_provider(who: AccountId) -> DispatchResult {
	Modicum::register_resource_provider(signed(who), Architecture::Arm64, 25)
}

#[test]
fn register_and_deregister_job_creator_works() {
	build_and_execute(|| {
		assert_ok!(Modicum::register_job_creator(signed(CREATOR)));
		System::assert_last_event(Event::JobCreatorRegistered { creator: CREATOR }.into());
		assert_eq!(deposit(CREATOR), REGISTRATION);
		assert_noop!(
			Modicum::register_job_creator(signed(CREATOR)),
			Error::<Test>::AlreadyRegistered
		);
		assert_ok!(Modicum::deregister_job_creator(signed(CREATOR)));
		System::assert_last_event(Event::JobCreatorDeregistered { creator: CREATOR }.into());
		assert_eq!((deposit(CREATOR), free(CREATOR)), (0, FORTUNE));
		assert_noop!(
			Modicum::deregister_job_creator(signed(CREATOR)),
			Error::<Test>::NotJobCreator
		);
	});
}

#[test]
fn register_and_deregister_resource_provider_works() {
	build_and_execute(|| {
		assert_noop!(
			Modicum::register_resource_provider(signed(PROVIDER), Architecture::Arm64, 0),
			Error::<Test>::ZeroInstructionTime
		);
		assert_ok!(register_provider(PROVIDER));
		System::assert_last_event(
			Event::ResourceProviderRegistered {
				provider: PROVIDER,
				architecture: Architecture::Arm64,
				time_per_billion_instructions: 25,
			}
			.into(),
		);
		assert_noop!(register_provider(PROVIDER), Error::<Test>::AlreadyRegistered);
		assert_ok!(Modicum::deregister_resource_provider(signed(PROVIDER)));
		System::assert_last_event(
			Event::ResourceProviderDeregistered { provider: PROVIDER }.into(),
		);
		assert_eq!((deposit(PROVIDER), free(PROVIDER)), (0, FORTUNE));
		assert_noop!(
			Modicum::deregister_resource_provider(signed(PROVIDER)),
			Error::<Test>::NotResourceProvider
		);
	});
}

#[test]
fn register_and_deregister_mediator_works() {
	build_and_execute(|| {
		let register = || Modicum::register_mediator(signed(MEDIATOR), Architecture::Armv7, 3);
		assert_ok!(register());
		System::assert_last_event(
			Event::MediatorRegistered {
				mediator: MEDIATOR,
				architecture: Architecture::Armv7,
				availability_fee: 3,
			}
			.into(),
		);
		assert_noop!(register(), Error::<Test>::AlreadyRegistered);
		assert_ok!(Modicum::deregister_mediator(signed(MEDIATOR)));
		System::assert_last_event(Event::MediatorDeregistered { mediator: MEDIATOR }.into());
		assert_eq!((deposit(MEDIATOR), free(MEDIATOR)), (0, FORTUNE));
		assert_noop!(Modicum::deregister_mediator(signed(MEDIATOR)), Error::<Test>::NotMediator);
	});
}

#[test]
fn register_and_deregister_directory_works() {
	build_and_execute(|| {
		let register = |len: usize| {
			Modicum::register_directory(signed(DIRECTORY), vec![b'd'; len], DIRECTORY_FEE)
		};
		assert_noop!(register(0), Error::<Test>::EndpointEmpty);
		assert_noop!(register(33), Error::<Test>::EndpointTooLong);
		assert_ok!(register(32));
		System::assert_last_event(
			Event::DirectoryRegistered {
				directory: DIRECTORY,
				endpoint: vec![b'd'; 32].try_into().unwrap(),
				availability_fee: DIRECTORY_FEE,
			}
			.into(),
		);
		assert_eq!(deposit(DIRECTORY), REGISTRATION + 32 * PER_BYTE);
		assert_noop!(register(1), Error::<Test>::AlreadyRegistered);
		assert_ok!(Modicum::deregister_directory(signed(DIRECTORY)));
		System::assert_last_event(Event::DirectoryDeregistered { directory: DIRECTORY }.into());
		assert_eq!((deposit(DIRECTORY), free(DIRECTORY)), (0, FORTUNE));
		assert_noop!(Modicum::deregister_directory(signed(DIRECTORY)), Error::<Test>::NotDirectory);
	});
}

#[test]
fn one_account_may_hold_all_roles() {
	build_and_execute(|| {
		assert_ok!(Modicum::register_job_creator(signed(CREATOR)));
		assert_ok!(register_provider(CREATOR));
		assert_ok!(Modicum::register_mediator(signed(CREATOR), Architecture::Amd64, 0));
		assert_ok!(Modicum::register_directory(signed(CREATOR), vec![1], 0));
		assert_eq!(deposit(CREATOR), 4 * REGISTRATION + PER_BYTE);
		assert_ok!(Modicum::deregister_resource_provider(signed(CREATOR)));
		assert_eq!(deposit(CREATOR), 3 * REGISTRATION + PER_BYTE);
	});
}

#[test]
fn registration_fails_without_the_deposit() {
	build_and_execute(|| {
		let error = TokenError::FundsUnavailable;
		assert_noop!(Modicum::register_job_creator(signed(PAUPER)), error);
		assert_noop!(register_provider(PAUPER), error);
		assert_noop!(Modicum::register_mediator(signed(PAUPER), Architecture::Amd64, 0), error);
		assert_noop!(Modicum::register_directory(signed(PAUPER), vec![1], 0), error);
	});
}

#[test]
fn registration_fails_when_another_pallet_has_the_money() {
	build_and_execute(|| {
		Balances::reserve(&CREATOR, FORTUNE - ED - REGISTRATION + 1).unwrap();
		let register = || Modicum::register_job_creator(signed(CREATOR));
		assert_noop!(register(), TokenError::FundsUnavailable);
		Balances::unreserve(&CREATOR, 1);
		assert_ok!(register());
	});
}

#[test]
fn registration_fails_unsigned() {
	build_and_execute(|| {
		let none = RuntimeOrigin::none;
		assert_noop!(Modicum::register_job_creator(none()), BadOrigin);
		assert_noop!(
			Modicum::register_resource_provider(root(), Architecture::Amd64, 1),
			BadOrigin
		);
		assert_noop!(Modicum::register_mediator(none(), Architecture::Amd64, 0), BadOrigin);
		assert_noop!(Modicum::register_directory(root(), vec![1], 0), BadOrigin);
	});
}

/// Adds and removes one entry of one list, filling it to its bound in between.
macro_rules! list_works {
	(
		$test:ident, $add:ident, $remove:ident, $register:expr, $unregistered:ident, $who:ident,
		$item:expr, $cost:expr, $added:expr, $removed:expr
	) => {
		#[test]
		fn $test() {
			build_and_execute(|| {
				assert_noop!(Modicum::$add(signed($who), $item(0)), Error::<Test>::$unregistered);
				assert_noop!(
					Modicum::$remove(signed($who), $item(0)),
					Error::<Test>::$unregistered
				);
				assert_ok!($register);
				for index in 0..4u8 {
					assert_ok!(Modicum::$add(signed($who), $item(index)));
					System::assert_last_event($added(index).into());
					assert_eq!(deposit($who), REGISTRATION + Balance::from(index + 1) * $cost);
				}
				assert_noop!(Modicum::$add(signed($who), $item(3)), Error::<Test>::AlreadyListed);
				assert_noop!(Modicum::$add(signed($who), $item(4)), Error::<Test>::ListFull);
				assert_noop!(Modicum::$remove(signed($who), $item(4)), Error::<Test>::NotListed);
				assert_ok!(Modicum::$remove(signed($who), $item(1)));
				System::assert_last_event($removed(1).into());
				assert_eq!(deposit($who), REGISTRATION + 3 * $cost);
				assert_noop!(Modicum::$remove(signed($who), $item(1)), Error::<Test>::NotListed);
				assert_ok!(Modicum::$add(signed($who), $item(4)));
			});
		}
	};
}

fn account(index: u8) -> AccountId {
	100 + AccountId::from(index)
}

fn layer(index: u8) -> [u8; 32] {
	[index; 32]
}

list_works!(
	job_creator_trusted_mediators_work,
	job_creator_add_trusted_mediator,
	job_creator_remove_trusted_mediator,
	Modicum::register_job_creator(signed(CREATOR)),
	NotJobCreator,
	CREATOR,
	account,
	ACCOUNT_ENTRY,
	|index| Event::JobCreatorAddedTrustedMediator { creator: CREATOR, mediator: account(index) },
	|index| Event::JobCreatorRemovedTrustedMediator { creator: CREATOR, mediator: account(index) }
);
list_works!(
	resource_provider_trusted_mediators_work,
	resource_provider_add_trusted_mediator,
	resource_provider_remove_trusted_mediator,
	register_provider(PROVIDER),
	NotResourceProvider,
	PROVIDER,
	account,
	ACCOUNT_ENTRY,
	|index| Event::ResourceProviderAddedTrustedMediator {
		provider: PROVIDER,
		mediator: account(index)
	},
	|index| Event::ResourceProviderRemovedTrustedMediator {
		provider: PROVIDER,
		mediator: account(index)
	}
);
list_works!(
	resource_provider_trusted_directories_work,
	resource_provider_add_trusted_directory,
	resource_provider_remove_trusted_directory,
	register_provider(PROVIDER),
	NotResourceProvider,
	PROVIDER,
	account,
	ACCOUNT_ENTRY,
	|index| Event::ResourceProviderAddedTrustedDirectory {
		provider: PROVIDER,
		directory: account(index)
	},
	|index| Event::ResourceProviderRemovedTrustedDirectory {
		provider: PROVIDER,
		directory: account(index)
	}
);
list_works!(
	resource_provider_supported_base_layers_work,
	resource_provider_add_supported_base_layer,
	resource_provider_remove_supported_base_layer,
	register_provider(PROVIDER),
	NotResourceProvider,
	PROVIDER,
	layer,
	LAYER_ENTRY,
	|index| Event::ResourceProviderAddedSupportedBaseLayer {
		provider: PROVIDER,
		base_layer: layer(index)
	},
	|index| Event::ResourceProviderRemovedSupportedBaseLayer {
		provider: PROVIDER,
		base_layer: layer(index)
	}
);
list_works!(
	mediator_trusted_directories_work,
	mediator_add_trusted_directory,
	mediator_remove_trusted_directory,
	Modicum::register_mediator(signed(MEDIATOR), Architecture::Amd64, 0),
	NotMediator,
	MEDIATOR,
	account,
	ACCOUNT_ENTRY,
	|index| Event::MediatorAddedTrustedDirectory { mediator: MEDIATOR, directory: account(index) },
	|index| Event::MediatorRemovedTrustedDirectory {
		mediator: MEDIATOR,
		directory: account(index)
	}
);
list_works!(
	mediator_supported_base_layers_work,
	mediator_add_supported_base_layer,
	mediator_remove_supported_base_layer,
	Modicum::register_mediator(signed(MEDIATOR), Architecture::Amd64, 0),
	NotMediator,
	MEDIATOR,
	layer,
	LAYER_ENTRY,
	|index| Event::MediatorAddedSupportedBaseLayer { mediator: MEDIATOR, base_layer: layer(index) },
	|index| Event::MediatorRemovedSupportedBaseLayer {
		mediator: MEDIATOR,
		base_layer: layer(index)
	}
);

#[test]
fn a_list_entry_fails_without_its_deposit() {
	build_and_execute(|| {
		assert_ok!(Modicum::register_job_creator(signed(CREATOR)));
		let rest = free(CREATOR) - ED - ACCOUNT_ENTRY + 1;
		assert_ok!(Balances::transfer_allow_death(signed(CREATOR), STRANGER, rest));
		assert_noop!(
			Modicum::job_creator_add_trusted_mediator(signed(CREATOR), MEDIATOR),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn deregister_fails_while_an_offer_or_match_needs_the_role() {
	in_market(|| {
		let refuse_owners = || {
			let error = Error::<Test>::HasCommitments;
			assert_noop!(Modicum::deregister_job_creator(signed(CREATOR)), error);
			let error = Error::<Test>::HasCommitments;
			assert_noop!(Modicum::deregister_resource_provider(signed(PROVIDER)), error);
		};
		let refuse_others = || {
			let error = Error::<Test>::HasCommitments;
			assert_noop!(Modicum::deregister_mediator(signed(MEDIATOR)), error);
			let error = Error::<Test>::HasCommitments;
			assert_noop!(Modicum::deregister_directory(signed(DIRECTORY)), error);
		};
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		refuse_owners();
		let match_id = NextMatchId::<Test>::get();
		assert_ok!(Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR));
		refuse_owners();
		refuse_others();
		post(match_id, run());
		refuse_owners();
		refuse_others();
		assert_ok!(Modicum::reject_result(
			signed(CREATOR),
			match_id,
			primitives::RejectReason::WrongResults
		));
		refuse_owners();
		refuse_others();
		assert_ok!(Modicum::post_mediation_result(signed(MEDIATOR), match_id, runs(run())));
		assert_ok!(Modicum::deregister_job_creator(signed(CREATOR)));
		assert_ok!(Modicum::deregister_resource_provider(signed(PROVIDER)));
		assert_ok!(Modicum::deregister_mediator(signed(MEDIATOR)));
		assert_ok!(Modicum::deregister_directory(signed(DIRECTORY)));
	});
}

#[test]
fn a_running_match_is_not_affected_by_shorter_lists() {
	in_market(|| {
		let before = Ledger::now();
		let match_id = matched();
		let (creator, provider, mediator) = (signed(CREATOR), signed(PROVIDER), signed(MEDIATOR));
		assert_ok!(Modicum::job_creator_remove_trusted_mediator(creator, MEDIATOR));
		assert_ok!(Modicum::resource_provider_remove_trusted_mediator(provider.clone(), MEDIATOR));
		assert_ok!(Modicum::resource_provider_remove_trusted_directory(
			provider.clone(),
			DIRECTORY
		));
		assert_ok!(Modicum::resource_provider_remove_supported_base_layer(provider, LAYER));
		assert_ok!(Modicum::mediator_remove_trusted_directory(mediator.clone(), DIRECTORY));
		assert_ok!(Modicum::mediator_remove_supported_base_layer(mediator, LAYER));

		// The same parties go on to the end, the mediator's verdict and its pay included.
		post(match_id, run());
		assert_ok!(Modicum::reject_result(
			signed(CREATOR),
			match_id,
			primitives::RejectReason::WrongResults
		));
		mediate(match_id, runs(run()));
		let (cost, fees) = (COST as i128, FEES as i128);
		let incentives = (CREATOR_INCENTIVE as i128, PROVIDER_INCENTIVE as i128);
		let measured = RUNS as i128 * cost;
		before.assert_changes(&[
			(CREATOR, -incentives.0 - DEPOSIT as i128),
			(PROVIDER, -incentives.1 + cost - fees),
			(MEDIATOR, 2 * MEDIATOR_FEE as i128 + measured),
			(DIRECTORY, 2 * DIRECTORY_FEE as i128),
			(SOLVER, incentives.0 + incentives.1),
			(TREASURY, DEPOSIT as i128 - cost - measured - fees),
		]);
		assert_nothing_left();
		// Only the next match is.
		let (job, resource) = (post_job(job_terms()), post_resource(resource_terms()));
		assert_noop!(
			Modicum::post_match(signed(SOLVER), job, resource, MEDIATOR),
			Error::<Test>::DirectoryNotTrustedByProvider
		);
	});
}
