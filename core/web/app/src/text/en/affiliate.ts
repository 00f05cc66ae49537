export const affiliate = {};
