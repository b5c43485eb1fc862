<?php
declare(strict_types=1);

namespace Shop;

use Doctrine\Common\Collections\ArrayCollection;
use Doctrine\Common\Collections\Collection;
use Doctrine\ORM\Mapping as ORM;

// Without a default in the mapping, which Doctrine would copy to every column that references the key.
#[ORM\Entity]
#[ORM\Table(name: 'customers')]
class Customer
{
    #[ORM\Id]
    #[ORM\Column(type: 'bigint')]
    #[ORM\GeneratedValue(strategy: 'CUSTOM')]
    #[ORM\CustomIdGenerator(class: Snowflakes::class)]
    public string $id;

    #[ORM\Column(type: 'text')]
    public string $name;

    #[ORM\OneToMany(mappedBy: 'customer', targetEntity: Order::class, cascade: ['persist'])]
    #[ORM\OrderBy(['id' => 'ASC'])]
    public Collection $orders;

    public function __construct(string $name)
    {
        $this->name = $name;
        $this->orders = new ArrayCollection();
    }
}

#[ORM\Entity]
#[ORM\Table(name: 'orders')]
class Order
{
    #[ORM\Id]
    #[ORM\Column(type: 'bigint')]
    #[ORM\GeneratedValue(strategy: 'CUSTOM')]
    #[ORM\CustomIdGenerator(class: Snowflakes::class)]
    public string $id;

    #[ORM\ManyToOne(inversedBy: 'orders')]
    #[ORM\JoinColumn(nullable: false)]
    public Customer $customer;

    #[ORM\Column(type: 'text')]
    public string $note;

    public function __construct(Customer $customer, string $note)
    {
        $this->customer = $customer;
        $this->note = $note;
        $customer->orders->add($this);
    }
}
