export const READ_BREAKERS = "";
