-- relation: grains
-- what: Every table that models make declares what tells its rows apart (the tests unique and one_row_per of its yml), and no two rows are alike in it.
-- example: A join of the library with the donations has each saved track once for each donation.
-- why: Whoever counts rows counts too many. And how often a row is repeated says something that nobody looked at, such as how many packages somebody donated.
-- remedy: Look at the joins of the model named first, or of the models that it reads: one of them finds several rows. If the table is to have them, declare in its yml what tells them apart.
select place, detail
from {grains} as grains
