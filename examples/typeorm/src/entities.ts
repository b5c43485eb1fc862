import { Column, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, type Relation } from "typeorm";

// Not PrimaryGeneratedColumn, which would make a sequence. A key is a string, as node pg has it.
const key = { type: "bigint", default: () => "snowflake_nextval()" } as const;

@Entity("customers")
export class Customer {
  @PrimaryColumn(key) id!: string;
  @Column("text") name!: string;
  @OneToMany(() => Order, (order) => order.customer, { cascade: true }) orders!: Relation<Order>[];
}

@Entity("orders")
export class Order {
  @PrimaryColumn(key) id!: string;
  @ManyToOne(() => Customer, (customer) => customer.orders, { nullable: false })
  @JoinColumn({ name: "customer_id" })
  customer!: Relation<Customer>;
  @Column("text") note!: string;
}
