// One line for each file: what it exports is found below text.
export * from "./account";
export * from "./admin-orders";
export * from "./admin-payouts";
export * from "./admin-sales";
export * from "./admin";
export * from "./affiliate-earnings";
export * from "./affiliate-payouts";
export * from "./affiliate-postbacks";
export * from "./affiliate";
export * from "./bookings";
export * from "./business";
export * from "./common";
export * from "./partners";
export * from "./states";
export * from "./support";
export * from "./why";
